// One tenant: its integrations as cards with their state, its keys, and its end.

import { get, once, part, send } from "../core/api.js";
import { h, link } from "../core/dom.js";
import { counted, moment } from "../core/format.js";
import { idle, whilePresent } from "../core/present.js";
import { again, go } from "../core/router.js";
import { session } from "../core/session.js";
import { confirm, open, field, shownOnce } from "../parts/dialog.js";
import { badge, empty, head, section, skeletons, wrong, wrongs } from "../parts/states.js";
import { icon, tile } from "../parts/icons.js";
import { table } from "../parts/lines.js";
import { tell } from "../parts/live.js";

export const tenant = {
  title: ({ tenant: name }) => name,
  skeleton: () => skeletons("Integrations", "cards"),
  async load({ params, signal }) {
    const base = `tenants/${part(params.tenant)}`;
    const house = session().house;
    const [providers, credentials, row, keys] = await Promise.all([
      get("providers", null, signal),
      get(`${base}/credentials`, null, signal),
      house ? get(base, null, signal) : null,
      house ? get(`${base}/keys`, null, signal) : null,
    ]);
    return { providers: providers.items, credentials, row, keys };
  },
  view({ providers, credentials, row, keys }, { params, ends }) {
    ends(whilePresent(60_000, () => idle() && again()));
    const name = params.tenant;
    const good = credentials.items.filter((one) => one.status === "VALID").length;
    const lead = row
      ? h("span", null, badge(row.status), ` ${row.plan.toLowerCase()} plan · since `, moment(row.created))
      : "What this tenant keeps for its providers.";
    return [
      head(name, { lead, up: row ? [["Tenants", "/tenants"]] : null, actions: row && link(`/evidence?tenant=${encodeURIComponent(name)}`, { class: "button" }, "Evidence") }),
      row?.status === "erased" && erased(row),
      ...["genai", "cloud"].map((group) => cards(group, { name, providers, credentials, good })),
      keys && keyList(name, keys, row),
      row?.status === "active" && ending(name, credentials, keys),
    ];
  },
};

function erased(row) {
  return h("div", { class: "banner banner-bad" }, icon("alert"), h("div", null, "Erased ", moment(row.erased), ". Its keys were destroyed, so nothing that it kept can be read again. The evidence stays."));
}

const GROUPS = { genai: "Language models", cloud: "Clouds" };

function cards(group, { name, providers, credentials, good }) {
  const of = new Map(credentials.items.map((one) => [one.provider, one]));
  const shown = providers.filter((one) => one.group === group);
  const one = (provider) => {
    const kept = of.get(provider.provider) ?? { status: "NOT_CONFIGURED" };
    const there = kept.status !== "NOT_CONFIGURED";
    const address = `/tenants/${part(name)}/${part(provider.name)}`;
    return h(
      "li",
      { class: "card" },
      h("div", { class: "card-top" }, tile(provider.provider, provider.label), h("div", null, h("h3", null, link(address, null, provider.label)), h("p", { class: "muted small" }, provider.title))),
      h(
        "div",
        { class: "card-state" },
        badge(kept.status),
        there && h("p", null, kept.name),
        there && h("p", { class: kept.error && kept.status !== "PENDING" ? "small hint is-bad" : "small muted" }, kept.error ?? ["Last validated: ", moment(kept.validated, "never")]),
      ),
      h(
        "div",
        { class: "card-foot" },
        link(address, { class: "button compact", "aria-label": `${there ? "Open" : "Connect"} ${provider.label}` }, there ? "Open" : [icon("plus"), "Connect"]),
        there && validateButton(name, provider),
      ),
    );
  };
  const side = group === "genai" ? h("p", { class: "muted small" }, `${counted(good, "integration")} connected`) : null;
  return section(GROUPS[group] ?? group, { side }, h("ul", { class: "cards" }, shown.map(one)));
}

/** Asks the provider again. What it says is told, and the page read anew: nothing is shown that was not answered. */
export function validateButton(name, provider, { whole = false } = {}) {
  const act = async () => {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    text.textContent = "Validating…";
    try {
      const said = await send("POST", `tenants/${part(name)}/credentials/${part(provider.name)}:validate`, {});
      if (said.error) tell(`${provider.label}: ${said.error}`, "bad");
      else tell(said.valid ? `${provider.label} takes the credential.` : `${provider.label}: ${said.message}`, said.valid ? "good" : "bad");
      again();
    } catch (problem) {
      tell(problem.message, "bad");
      button.disabled = false;
      button.removeAttribute("aria-busy");
      text.textContent = "Validate";
    }
  };
  const text = h("span", null, "Validate");
  const button = h("button", { type: "button", class: whole ? "button" : "button compact", "aria-label": `Validate ${provider.label}`, on: { click: act } }, icon("refresh"), text);
  return button;
}

function keyList(name, keys, row) {
  const make = row.status === "active" ? h("button", { type: "button", class: "button compact", on: { click: () => createKey(name) } }, icon("plus"), "New key") : null;
  const note = "What programs sign in to the API with. A key is shown once; Doorward keeps a code from which it can't be had back.";
  if (!keys.items.length) return section("API keys", { side: make, note }, empty("No key yet", "Without one no program of this tenant reaches the API.", { command: `doorward key create --tenant ${name}` }));
  const { element } = table(
    `API keys of ${name}`,
    [
      ["Key", (one) => h("div", null, h("p", null, one.label ?? h("span", { class: "muted" }, "no label")), h("code", { class: "muted small" }, one.id))],
      ["State", (one) => badge(one.state)],
      ["May", (one) => h("div", { class: "tags" }, one.scopes.map((scope) => h("span", { class: "tag" }, scope)))],
      ["Made", (one) => [moment(one.created), h("span", { class: "muted small" }, ` by ${one.by}`)]],
      ["Ends", (one) => (one.revoked ? moment(one.revoked) : moment(one.expires))],
      ["", (one) => one.state === "active" && keyActions(name, one), "end"],
    ],
    keys.items,
  );
  return section("API keys", { side: make, note }, h("div", { class: "panel panel-tight" }, element));
}

function keyActions(name, key) {
  const about = key.label ?? key.id;
  const rotate = () =>
    confirm({
      title: `Rotate the key “${about}”`,
      consequences: ["A new key with the same scopes is made and shown once.", "The one before works for a day more, so that programs can change over."],
      verb: "Make the next key",
      danger: false,
      act: () => send("POST", `tenants/${part(name)}/keys/${part(key.id)}:rotate`, { overlap: "24h" }),
    }).then((made) => made?.key && reveal(made));
  const revoke = () =>
    confirm({
      title: `Revoke the key “${about}”`,
      consequences: ["Programs that use it are refused from this moment on.", "It can't be taken back; another key can be made."],
      word: key.label ?? key.id.slice(-6),
      verb: "Revoke the key",
      act: () => send("DELETE", `tenants/${part(name)}/keys/${part(key.id)}`),
    }).then((done) => done && (tell("The key is revoked."), again()));
  return h(
    "div",
    { class: "actions" },
    h("button", { type: "button", class: "button compact", "aria-label": `Rotate ${about}`, on: { click: rotate } }, "Rotate"),
    h("button", { type: "button", class: "button compact danger", "aria-label": `Revoke ${about}`, on: { click: revoke } }, "Revoke"),
  );
}

async function reveal(made) {
  const { key } = made;
  delete made.key;
  await shownOnce("The new key", key, "This is the only time that it is shown. Store it where the program reads it.");
  again();
}

function createKey(name) {
  const word = once();
  return open("New API key", (close) => {
    const box = wrongs();
    const label = field("label", "Label", { maxlength: 60, autocomplete: "off", placeholder: "web", "data-first": true });
    const expires = h("select", { id: "expires", class: "select" }, [["", "Never"], ["30d", "In 30 days"], ["90d", "In 90 days"], ["365d", "In a year"]].map(([value, text]) => h("option", { value }, text)));
    const writes = h("input", { type: "checkbox", id: "writes", checked: true });
    const button = h("button", { type: "submit", class: "button primary" }, "Make the key");
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      const scopes = writes.checked ? ["credentials:read", "credentials:write"] : ["credentials:read"];
      const body = { scopes, label: label.input.value.trim() || undefined, expires: expires.value || undefined };
      try {
        close(await send("POST", `tenants/${part(name)}/keys`, body, { key: word }));
      } catch (problem) {
        wrong(box, problem);
        button.disabled = false;
      }
    };
    return h(
      "form",
      { on: { submit }, autocomplete: "off" },
      label.label,
      h("div", { class: "field" }, h("label", { for: "expires" }, "Ends"), expires),
      h("label", { class: "check", for: "writes" }, writes, h("span", null, "May set up, change and delete credentials, not only see their state")),
      box,
      h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), button),
    );
  }).then((made) => made?.key && reveal(made));
}

function ending(name, credentials, keys) {
  const kept = credentials.configured?.length ?? 0;
  const active = keys?.items.filter((one) => one.state === "active").length ?? 0;
  const erase = () =>
    confirm({
      title: `Erase the tenant ${name}`,
      consequences: [
        `${counted(kept, "credential")} can never be read again: the data keys are destroyed, not the rows hidden.`,
        `${counted(active, "API key")} and all capabilities of this tenant are over at once.`,
        "The evidence of what was done stays, and so does the name: it is never given again.",
        "A backup from before still holds the wrapped keys until it is gone.",
      ],
      word: name,
      verb: "Erase for ever",
      act: () => send("DELETE", `tenants/${part(name)}?confirm=${part(name)}`),
    }).then((done) => done && (tell(`The tenant ${name} is erased.`), go("/tenants")));
  return section(
    "Erase",
    {},
    h(
      "div",
      { class: "panel danger-zone" },
      h("p", null, "Erasing destroys the tenant's keys, and with them everything that was sealed for it. Nobody can take that back."),
      h("p", null, h("button", { type: "button", class: "button danger", on: { click: erase } }, "Erase this tenant")),
    ),
  );
}
