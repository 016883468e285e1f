// Stored secrets: their names, versions and who declares them. A secret goes in here and never comes out.

import { get, once, part, send } from "../core/api.js";
import { fill, fresh, h, link } from "../core/dom.js";
import { counted, moment } from "../core/format.js";
import { again, note } from "../core/router.js";
import { confirm, field, open } from "../parts/dialog.js";
import { icon } from "../parts/icons.js";
import { paged } from "../parts/lines.js";
import { tell } from "../parts/live.js";
import { badge, copier, empty, fact, head, skeletons, wrong, wrongs } from "../parts/states.js";

export const secrets = {
  title: "Secrets",
  skeleton: () => skeletons("Secrets"),
  load: ({ query, signal }) => read({ q: query.q }, signal),
  view(page, { query }) {
    const lead = "What calls are lent, under a name. Nothing here shows one.";
    const actions = h("button", { type: "button", class: "button primary", on: { click: () => write() } }, icon("plus"), "Store a secret");
    const list = page.items.length
      ? paged("Secrets", columns(), page, (cursor) => read({ q: query.q, cursor }))
      : query.q
        ? empty("None is called like that", `No secret has “${query.q}” in its name.`)
        : empty("No secret yet", "Store the credential of a service, and give capabilities for its use.", { command: "doorward secret put slack/token" });
    return [head("Secrets", { lead: page.total ? `${counted(page.total, "secret")}. ${lead}` : lead, actions }), finder(query), list];
  },
};

/** A page of them. Of the keys of webhooks that were forgotten a name is left, which is of use to nobody. */
async function read(words, signal) {
  const page = await get("secrets", { ...words, limit: 100 }, signal);
  const kept = page.items.filter((one) => one.versions.length > 0 || !isOwn(one));
  return { ...page, items: kept, total: page.total - (page.items.length - kept.length) };
}

/** Whether Doorward keeps it for itself: it is made and forgotten with what it is for, and not here. */
function isOwn(one) {
  return one.name.startsWith("credentials/doorward/");
}

function finder(query) {
  const words = field("find", "Find", { type: "search", value: query.q ?? "", autocomplete: "off", spellcheck: "false", "data-search": true, placeholder: "slack" });
  const apply = (event) => {
    event.preventDefault();
    note({ q: words.input.value.trim() });
    again();
  };
  return h("form", { class: "filters", role: "search", on: { submit: apply } }, words.label, h("button", { type: "submit", class: "button" }, "Find"));
}

function columns() {
  return [
    ["Name", (one) => h("strong", { class: "mono" }, one.name)],
    ["State", (one) => badge(one.state)],
    ["Version", (one) => h("span", null, String(one.current), one.versions.length > 1 && h("span", { class: "muted" }, ` · ${one.versions.length} usable`))],
    ["Since", (one) => moment(one.versions.at(-1)?.created ?? one.created)],
    ["", (one) => actions(one), "end"],
  ];
}

function actions(one) {
  const button = (text, act, kind = "") => h("button", { type: "button", class: `button compact ${kind}`, "aria-label": `${text}: ${one.name}`, on: { click: () => act(one) } }, text);
  const there = one.versions.length > 0;
  if (isOwn(one)) return h("div", { class: "actions" }, button("Details", details));
  return h("div", { class: "actions" }, button("Details", details), button(there ? "Replace" : "Store again", write), there && button("Forget", forget, "danger"));
}

async function details(one) {
  const holder = h("span", { class: "muted" }, "…");
  const versions = one.versions.map((version) =>
    fact(`Version ${version.n}`, moment(version.created), version.n === one.current ? " · in use" : version.expires ? [" · until ", moment(version.expires)] : ""),
  );
  const reference = `store:${one.name}`;
  const shown = open(`Secret ${one.name}`, () =>
    h("dl", { class: "facts" }, fact("State", badge(one.state)), fact("Reference", h("div", { class: "with-button" }, h("code", null, reference), copier(reference, "Copy the reference"))), fact("Declared by", holder), versions),
  );
  fill(holder, await declaredBy(one.name, reference));
  return shown;
}

/** The integration whose file declares it, where the name leads to one. */
async function declaredBy(name, reference) {
  const [first, second] = name.split("/");
  const of = first === "credentials" ? second : first;
  if (first === "credentials") return of === "doorward" ? "Doorward itself, for a webhook" : ["a credential for ", leading(of, of)];
  const found = await get(`integrations/${part(of)}`).catch(() => null);
  const field = found?.secrets.find((one) => one.reference === reference);
  return field ? [leading(of, found.title ?? of), ` as ${field.field}`] : "no integration of that name";
}

/** A link out of the dialog. */
function leading(name, text) {
  return link(`/catalogue/${part(name)}`, { on: { click: (event) => event.target.closest("dialog")?.close() } }, text);
}

/** Stores a secret, or its next version. The field is hidden, and emptied when it is sent. */
function write(one) {
  const key = once();
  const next = one?.versions.length > 0;
  return open(next ? `Replace ${one.name}` : "Store a secret", (close) => {
    const box = wrongs();
    const name = field("name", "Name", { required: true, maxlength: 191, autocomplete: "off", autocapitalize: "off", spellcheck: "false", placeholder: "slack/token", value: one?.name ?? "", readonly: Boolean(one), "data-first": !one });
    const value = field("value", "Secret", { class: "input masked", required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "data-secret": true, "data-1p-ignore": true, "data-first": Boolean(one) });
    const id = fresh("overlap");
    const overlap = h("select", { id, class: "select" }, [["", "Ends at once"], ["10m", "Ten minutes"], ["1h", "An hour"], ["24h", "A day"]].map(([word, text]) => h("option", { value: word }, text)));
    const button = h("button", { type: "submit", class: "button primary" }, next ? "Replace it" : "Store it");
    const submit = async (event) => {
      event.preventDefault();
      wrong(box, null);
      button.disabled = true;
      const body = { value: value.input.value };
      value.input.value = "";
      try {
        const path = `secrets/${part(name.input.value.trim())}`;
        if (next && overlap.value) body.overlap = overlap.value;
        const stored = await (next ? send("POST", `${path}:rotate`, body, { key }) : send("PUT", path, body));
        close();
        tell(`Stored ${stored.name}, version ${stored.version}.`);
        again();
      } catch (problem) {
        wrong(box, problem);
        button.disabled = false;
        value.input.focus();
      }
    };
    const foot = h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), button);
    const former = next && h("div", { class: "field" }, h("label", { for: id }, "The version before"), overlap);
    return h("form", { autocomplete: "off", on: { submit } }, name.label, value.label, former, box, foot);
  });
}

function forget(one) {
  return confirm({
    title: `Forget ${one.name}`,
    consequences: ["Its bytes are removed; whoever needs it is refused from now on.", "It can't be taken back. What was done with it stays in the evidence."],
    word: one.name,
    verb: "Forget it",
    act: () => send("DELETE", `secrets/${part(one.name)}`),
  }).then((done) => done && (tell("The secret is forgotten."), again()));
}
