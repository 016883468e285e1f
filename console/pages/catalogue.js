// The catalogue: which services there are, what can be done at each, how risky that is, and where it is documented.

import { get, part } from "../core/api.js";
import { h, link } from "../core/dom.js";
import { counted } from "../core/format.js";
import { again, note } from "../core/router.js";
import { field } from "../parts/dialog.js";
import { tile } from "../parts/icons.js";
import { paged } from "../parts/lines.js";
import { badge, commandLine, empty, fact, head, section, skeletons } from "../parts/states.js";

export const catalogue = {
  title: "Catalogue",
  skeleton: () => skeletons("Catalogue"),
  load: ({ query, signal }) => get("integrations", { q: query.q, ready: query.ready, limit: 100 }, signal),
  view(page, { query }) {
    const list = page.items.length
      ? paged("Integrations", COLUMNS, page, (cursor) => get("integrations", { q: query.q, ready: query.ready, cursor, limit: 100 }))
      : empty("None is like that", "No integration fits. A file of your own adds one.", { command: "doorward integration schema" });
    return [head("Catalogue", { lead: `${counted(page.total, "integration")}. One file each says what can be done at a service, and how its credential goes on a request.` }), finder(query), list];
  },
};

const COLUMNS = [
  ["Integration", (one) => h("div", { class: "card-top" }, tile(one.name, one.title ?? one.name), h("div", null, link(`/catalogue/${part(one.name)}`, null, one.title ?? one.name), h("p", { class: "muted small mono" }, one.name)))],
  ["Operations", (one) => String(one.operations ?? "–")],
  ["Secrets", (one) => (one.ready ? badge("active", "Ready") : h("span", { class: "muted small" }, "missing: ", one.missing.map((name) => h("span", { class: "tag" }, name))))],
];

function finder(query) {
  const words = field("find", "Find", { type: "search", value: query.q ?? "", autocomplete: "off", spellcheck: "false", "data-search": true, placeholder: "github" });
  const ready = h("input", { id: "ready", type: "checkbox", checked: query.ready === "true" });
  const apply = (event) => {
    event?.preventDefault();
    note({ q: words.input.value.trim(), ready: ready.checked ? "true" : "" });
    again();
  };
  ready.addEventListener("change", apply);
  const only = h("div", { class: "field" }, h("label", { for: "ready" }, ready, " Only those with their secrets"));
  return h("form", { class: "filters", role: "search", on: { submit: apply } }, words.label, only, h("button", { type: "submit", class: "button" }, "Find"));
}

export const integration = {
  title: (params) => params?.name ?? "Integration",
  skeleton: () => skeletons("Integration"),
  load: ({ params, signal }) => get(`integrations/${part(params.name)}`, null, signal),
  view(one) {
    const up = [["Catalogue", "/catalogue"]];
    const secrets = one.secrets.map((secret) => fact(secret.title ?? secret.field, h("code", null, secret.reference)));
    const page = { items: one.operations, next: null };
    const operations = one.operations.length ? paged(`Operations of ${one.name}`, OPERATIONS, page, null) : h("p", { class: "muted" }, "It describes none: every request is a write of high risk.");
    return [
      head(one.title ?? one.name, { up, lead: one.upstream ? `${one.upstream}${one.base_path ?? ""}` : null }),
      h("dl", { class: "facts panel" }, fact("Name", h("code", null, one.name)), one.docs && fact("Documentation", outside(one.docs)), secrets),
      section(counted(one.operations.length, "operation"), {}, operations),
      section("Use it", {}, commandLine(`doorward capability request --for ada --integrations ${one.name} --access read --expires 1h`)),
    ];
  },
};

const OPERATIONS = [
  ["Operation", (one) => h("div", null, h("strong", { class: "mono" }, one.name), h("p", { class: "muted small" }, one.title))],
  ["Access", (one) => one.access],
  ["Risk", (one) => badge(one.risk)],
  ["Inputs", (one) => (one.inputs.length ? h("div", { class: "tags" }, one.inputs.map((name) => h("span", { class: "tag" }, name))) : h("span", { class: "muted" }, "–"))],
  ["", (one) => one.docs && outside(one.docs, `Docs of ${one.name}`), "end"],
];

/** A link to somebody else's page: it learns nothing of this one. */
function outside(address, label) {
  return /^https:\/\//.test(address) ? h("a", { href: address, rel: "noreferrer noopener", target: "_blank", "aria-label": label }, label ? "Docs" : address) : h("code", null, address);
}
