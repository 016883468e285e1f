// The session of whoever reads, how the console looks, which keys it listens to. And who holds which role.

import { get, part, send } from "../core/api.js";
import { fresh, h } from "../core/dom.js";
import { exact, lasting, moment } from "../core/format.js";
import { again } from "../core/router.js";
import { session } from "../core/session.js";
import { confirm, field, open } from "../parts/dialog.js";
import { badge, copier, empty, fact, head, section, skeletons, wrong, wrongs } from "../parts/states.js";
import { icon } from "../parts/icons.js";
import { table } from "../parts/lines.js";
import { tell } from "../parts/live.js";

const HOWS = { link: "a link from `doorward console`", key: "an API key", oidc: "your organisation's sign-in", capability: "a capability", "api-key": "an API key" };

export const settings = {
  title: "Settings",
  skeleton: () => skeletons("Settings"),
  async load({ signal }) {
    const house = session()?.house;
    const [now, roles, status] = await Promise.all([
      get("session", null, signal),
      house ? get("roles", null, signal).catch(() => null) : null,
      house ? get("status", null, signal).catch(() => null) : null,
    ]);
    return { now, roles, status };
  },
  view({ now, roles, status }) {
    return [
      head("Settings", { lead: "Your session, and how this console looks." }),
      h("div", { class: "columns" }, mine(now), looks()),
      roles && people(roles),
      status && about(status),
    ];
  },
};

function mine(now) {
  const left = now.expires ? lasting((Date.parse(now.expires) - Date.now()) / 1000) : null;
  const how = (HOWS[now.how] ?? now.how).split("`").map((text, at) => (at % 2 ? h("code", null, text) : text));
  return section(
    "Your session",
    {},
    h(
      "div",
      { class: "panel" },
      h(
        "dl",
        { class: "facts" },
        fact("Signed in as", h("strong", null, now.principal)),
        fact("Tenant", now.tenant),
        fact("Roles", now.roles.length ? h("div", { class: "tags" }, now.roles.map((role) => h("span", { class: "tag" }, role))) : "none"),
        fact("By", how),
        fact("Since", moment(now.created, "–")),
        now.expires && fact("Ends", `in ${left} at the latest, `, h("span", { class: "muted" }, exact(now.expires))),
        now.idle && fact("Without use", `ends ${lasting((Date.parse(now.idle) - Date.now()) / 1000)} after the last request`),
      ),
    ),
  );
}

function looks() {
  const prefs = globalThis.doorwardPrefs;
  const [name, id] = [fresh("theme"), fresh("keys")];
  const one = ([theme, title]) =>
    h("label", null, h("input", { type: "radio", name, value: theme, checked: prefs.theme() === theme, on: { change: () => prefs.setTheme(theme) } }), icon(theme), title);
  const keys = h("input", { id, type: "checkbox", checked: prefs.keys(), on: { change: () => prefs.setKeys(keys.checked) } });
  return section(
    "This browser",
    {},
    h(
      "div",
      { class: "panel form" },
      h("fieldset", null, h("legend", null, "Theme"), h("div", { class: "choice" }, [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]].map(one))),
      h("label", { class: "check", for: id }, keys, h("span", null, "Keys without a modifier: ", h("kbd", null, "/"), " searches, ", h("kbd", null, "?"), " lists them")),
      h("p", { class: "hint" }, "These two choices are the only thing that the console leaves in this browser."),
    ),
  );
}

function people(roles) {
  const give = h("button", { type: "button", class: "button compact", on: { click: () => grant(roles) } }, icon("plus"), "Give a role");
  const { element } = table(
    "Principals and their roles",
    [
      ["Who", (one) => h("strong", null, one.principal)],
      ["Kind", (one) => one.kind],
      ["Roles", (one) => h("div", { class: "tags" }, one.roles.map((role) => h("span", { class: "tag" }, role)))],
      ["Changed", (one) => moment(one.changed, "–")],
      ["", (one) => h("div", { class: "actions" }, one.roles.filter((role) => role !== "owner").map((role) => takeBack(one, role))), "end"],
    ],
    roles.items,
  );
  return section(
    "Who holds which role",
    { side: give, note: "A role holds at once. What it allows, policies say." },
    roles.items.length ? h("div", { class: "panel panel-tight" }, element) : empty("Nobody but the owner", "A role lets somebody else decide, look or work here.", { command: "doorward role grant ada approver --kind person" }),
  );
}

function takeBack(one, role) {
  const act = () =>
    confirm({
      title: `Take the role ${role} from ${one.principal}`,
      consequences: [`What only \`${role}\` allows is refused to \`${one.principal}\` from now on.`, "Sessions of theirs in this console end."],
      verb: "Take it back",
      act: () => send("DELETE", `roles/${part(one.principal)}/${part(role)}`),
    }).then((done) => done && again());
  return h("button", { type: "button", class: "button compact", "aria-label": `Take back ${role} from ${one.principal}`, on: { click: act } }, `Take back ${role}`);
}

function grant(roles) {
  return open("Give a role", (close) => {
    const box = wrongs();
    const who = field("principal", "To whom", { required: true, autocomplete: "off", spellcheck: "false", "data-first": true });
    const id = fresh("role");
    const known = roles.known ?? [];
    const role = h("select", { id, class: "select" }, known.map((one) => h("option", { value: one.role }, one.role)));
    const about = h("p", { class: "hint" }, known[0]?.about);
    role.addEventListener("change", () => (about.textContent = known.find((one) => one.role === role.value)?.about ?? ""));
    const button = h("button", { type: "submit", class: "button primary" }, "Give it");
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      try {
        await send("PUT", `roles/${part(who.input.value.trim())}/${part(role.value)}`, {});
        close();
        tell(`${who.input.value.trim()} holds the role ${role.value}.`);
        again();
      } catch (problem) {
        wrong(box, problem);
        button.disabled = false;
      }
    };
    return h("form", { autocomplete: "off", on: { submit } }, who.label, h("div", { class: "field" }, h("label", { for: id }, "Role"), role, about), box, h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), button));
  });
}

function about(status) {
  const key = status.evidence?.verifier_key;
  return section(
    "This Doorward",
    {},
    h(
      "div",
      { class: "panel" },
      h(
        "dl",
        { class: "facts" },
        fact("State", badge(status.state)),
        fact("Version", status.version),
        fact("Tenant of the house", status.tenant),
        status.environment && fact("Environment", status.environment),
        fact("Policies", h("code", null, status.policy_version)),
        key && fact("Key of the evidence", h("div", { class: "with-button" }, h("code", null, key), copier(key, "Copy the key of the evidence"))),
        fact("Documents", h("a", { href: "/v1/openapi.json" }, "OpenAPI")),
      ),
    ),
  );
}
