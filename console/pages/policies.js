// Policies: what holds, an editor that says what is wrong at its line, and why a call would be allowed or denied.

import { get, part, send } from "../core/api.js";
import { fill, fresh, h, link } from "../core/dom.js";
import { counted, moment, shortened } from "../core/format.js";
import { again, go } from "../core/router.js";
import { confirm, field, open } from "../parts/dialog.js";
import { editor, findingsList } from "../parts/editor.js";
import { icon } from "../parts/icons.js";
import { badge, empty, head, hinted, section, skeletons, wrong, wrongs } from "../parts/states.js";
import { table } from "../parts/lines.js";
import { tell } from "../parts/live.js";

export const policies = {
  title: "Policies",
  skeleton: () => skeletons("Policies"),
  load: ({ signal }) => get("policies", { limit: 1000 }, signal),
  view(page) {
    const make = h("button", { type: "button", class: "button primary", on: { click: create } }, icon("plus"), "New policy");
    const lead = "Nothing is allowed that no policy permits, and a “forbid” always wins.";
    return [
      head("Policies", { lead, actions: make }),
      (page.warnings ?? []).map((text) => h("div", { class: "banner" }, icon("alert"), h("div", null, hinted(text)))),
      section("Yours", { side: h("p", { class: "muted small" }, "version ", h("code", null, shortened(page.version, 6))) }, yours(page.items)),
      explainer(),
      inForce(page.rules ?? []),
    ];
  },
};

function yours(items) {
  if (!items.length) return empty("Only the built-in policies hold", "Write one to let somebody else in, or to forbid something to everybody.", { command: "doorward policy template team > team.cedar" });
  const row = (one) =>
    h("li", null, icon("policies"), h("div", { class: "grow" }, link(`/policies/${part(one.name)}`, null, one.name), h("p", { class: "muted small" }, counted(one.text.split("\n").length, "line"), " · changed ", moment(one.changed))));
  return h("ul", { class: "panel panel-tight list" }, items.map(row));
}

function inForce(rules) {
  const { element } = table("Rules in force", [["Rule", (one) => h("code", null, one.id)], ["Where it stands", (one) => one.place]], rules);
  return section("In force", { side: h("p", { class: "muted small" }, counted(rules.length, "rule")) }, h("details", { class: "panel" }, h("summary", null, "All rules, and where each stands"), element));
}

/** Asks why a call would be allowed or denied; nothing is done. */
function explainer() {
  const box = wrongs();
  const answer = h("div", { role: "status" });
  const who = field("for", "Who", { placeholder: "ada", autocomplete: "off", spellcheck: "false", required: true });
  const what = field("operation", "Operation", { placeholder: "slack/chat.post", autocomplete: "off", spellcheck: "false", required: true });
  const roles = field("roles", ["Roles", h("span", { class: "muted" }, " (optional)")], { placeholder: "operator", autocomplete: "off", spellcheck: "false" });
  const on = field("resource", ["Resource", h("span", { class: "muted" }, " (optional)")], { placeholder: "C0123", autocomplete: "off", spellcheck: "false" });
  const submit = async (event) => {
    event.preventDefault();
    wrong(box, null);
    const words = (text) => text.split(",").map((word) => word.trim()).filter(Boolean);
    const held = words(roles.input.value);
    const body = { for: who.input.value.trim(), operation: what.input.value.trim(), resource: on.input.value.trim() || undefined, roles: held.length ? held : undefined };
    try {
      fill(answer, explained(await send("POST", "policies:explain", body)));
    } catch (problem) {
      fill(answer);
      wrong(box, problem);
    }
  };
  return section(
    "Explain",
    { note: "Would this be allowed, and which policy says so? Nothing is done." },
    h("form", { class: "panel form", autocomplete: "off", on: { submit } }, h("div", { class: "pair" }, who.label, what.label, roles.label, on.label), box, h("div", null, h("button", { type: "submit", class: "button" }, "Explain")), answer),
  );
}

function explained(said) {
  const allowed = (said.answer ?? said.decision) === "allow";
  const one = (policy) =>
    h("li", null, badge(policy.effect === "allow" ? "done" : "denied", policy.effect === "allow" ? "permit" : "forbid"), h("div", { class: "grow" }, h("code", null, policy.id), policy.description && h("p", { class: "muted small" }, policy.description)), h("span", { class: "muted small" }, policy.place));
  return h(
    "div",
    { class: "form" },
    h("div", { class: `banner banner-${allowed ? "good" : "bad"}` }, icon(allowed ? "check" : "cross"), h("div", null, h("strong", null, allowed ? (said.approval ? "Allowed, after an approval" : "Allowed") : "Denied"), h("p", null, hinted(said.reason)))),
    said.policies?.length > 0 && h("ul", { class: "panel panel-tight list" }, said.policies.map(one)),
    (said.errors ?? []).map((text) => h("p", { class: "hint is-bad" }, text)),
  );
}

function create() {
  return open("New policy", (close) => {
    const name = field("name", "Name", { required: true, autocomplete: "off", spellcheck: "false", placeholder: "team", maxlength: 100, "data-first": true });
    const hint = h("p", { class: "hint" }, "Lower-case words, joined by “/”.");
    name.label.append(hint);
    const submit = (event) => {
      event.preventDefault();
      const text = name.input.value.trim();
      if (!/^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/.test(text)) {
        hint.classList.add("is-bad");
        return name.input.focus();
      }
      close();
      go(`/policies/${part(text)}`);
    };
    return h("form", { autocomplete: "off", on: { submit } }, name.label, h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), h("button", { type: "submit", class: "button primary" }, "Write it")));
  });
}

const BEGINNING = `// What this policy is for, in one sentence.
@id("")
@description("")
permit (
  principal in Doorward::Role::"operator",
  action in Doorward::Action::"read",
  resource
);
`;

export const policy = {
  title: ({ name }) => name,
  skeleton: () => skeletons("Policy"),
  load: ({ params, signal }) =>
    get(`policies/${part(params.name)}`, null, signal).catch((problem) => {
      // One that there is not yet is written here.
      if (problem.status === 404) return { name: params.name, text: null };
      throw problem;
    }),
  view(found, { params, ends, unsaved }) {
    const unwritten = found.text === null;
    const beginning = unwritten ? BEGINNING.replace('@id("")', `@id("${params.name.replaceAll("/", "-")}")`) : found.text;
    const parts = writing(params.name, beginning, { etag: found.etag, isNew: unwritten, ends, unsaved });
    const actions = [!unwritten && forget(params.name, parts.gone), parts.save];
    const lead = unwritten ? "Not written yet." : ["Changed ", moment(found.changed), ". The whole set is compiled before a word of it counts."];
    return [head(params.name, { lead, up: [["Policies", "/policies"]], actions }), parts.element];
  },
};

/** The editor with its check, which runs a moment after the last letter, and the button that writes. */
function writing(name, text, { etag, isNew, ends, unsaved }) {
  const [box, findings, said] = [wrongs(), h("div", { role: "status" }), h("p", { class: "hint", id: fresh("said") })];
  let timer = null;
  let asked = 0;
  let written = false;
  const sheet = editor(text, { label: `Text of the policy ${name}`, describedby: said.id, changed: () => later(600) });
  const later = (after) => {
    clearTimeout(timer);
    save.disabled = sheet.value() === text && !isNew;
    timer = setTimeout(check, after);
  };
  const show = (errors, warnings = []) => {
    sheet.findings(errors);
    fill(findings, findingsList(errors, sheet.at));
    said.className = `hint ${errors.length ? "is-bad" : "is-good"}`;
    said.textContent = errors.length ? `${counted(errors.length, "thing")} to mend. Nothing is written until it compiles.` : warnings.length ? `Compiles. ${warnings.join(" ")}` : "Compiles with the policies that hold.";
  };
  const check = async () => {
    asked += 1;
    const mine = asked;
    try {
      const answer = await send("POST", "policies:check", { name, text: sheet.value() });
      if (mine === asked) show(answer.errors ?? [], answer.warnings);
    } catch (problem) {
      if (mine === asked && problem.name !== "AbortError") wrong(box, problem);
    }
  };
  const write = async () => {
    save.disabled = true;
    wrong(box, null);
    try {
      await send("PUT", `policies/${part(name)}`, { text: sheet.value() }, { match: isNew ? undefined : etag });
      written = true;
      tell(`The policy ${name} holds now.`);
      again();
    } catch (problem) {
      save.disabled = false;
      if (problem.errors?.length) show(problem.errors);
      else wrong(box, problem.status === 412 ? { message: "Somebody else changed this policy meanwhile.", hint: "Copy your text, load the page again, and put it in anew." } : problem);
    }
  };
  const save = h("button", { type: "button", class: "button primary", disabled: !isNew, on: { click: write } }, "Write the policy");
  ends(() => clearTimeout(timer));
  unsaved(() => !written && sheet.value() !== text && `The policy ${name}`);
  if (!isNew) later(0);
  return { save, gone: () => (written = true), element: h("div", { class: "form" }, sheet.element, said, findings, box, h("p", { class: "hint" }, "Policies are written in Cedar. ", link("/policies", null, "Explain"), " says what they would answer.")) };
}

/** Forgets a policy; `gone` says that no text of it has to be kept any more. */
function forget(name, gone) {
  const act = () =>
    confirm({
      title: `Forget the policy ${name}`,
      consequences: ["What only this policy permits is refused from now on.", "What only this policy forbids is no longer forbidden.", "Its text is not kept; copy it first if it may be needed again."],
      word: name,
      verb: "Forget it",
      act: () => send("DELETE", `policies/${part(name)}`),
    }).then((done) => done && (gone(), tell(`The policy ${name} is forgotten.`), go("/policies")));
  return h("button", { type: "button", class: "button danger", on: { click: act } }, "Forget");
}
