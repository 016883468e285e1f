// Capabilities and who holds them: found, asked for, looked at, narrowed, revoked. A token is shown once, when it is made.

import { get, once, part, send } from "../core/api.js";
import { fill, fresh, h } from "../core/dom.js";
import { counted, moment } from "../core/format.js";
import { again, go, note } from "../core/router.js";
import { confirm, field, open, shownOnce } from "../parts/dialog.js";
import { icon } from "../parts/icons.js";
import { badge, copier, empty, fact, head, skeletons, wrong, wrongs } from "../parts/states.js";
import { paged } from "../parts/lines.js";
import { tell } from "../parts/live.js";
import { LIMITS, REQUEST, limitsForm } from "../parts/limits.js";

const STATES = [["", "Any state"], ["active", "Active"], ["expired", "Expired"], ["revoked", "Revoked"], ["suspended", "Suspended"]];

export const capabilities = {
  title: "Capabilities",
  skeleton: () => skeletons("Capabilities"),
  load: ({ query, signal }) => get("capabilities", { holder: query.holder, state: query.state, limit: 100 }, signal),
  view(page, { query }) {
    const lead = "Who may use what, with which limits, until when. Revoking one ends everything below it.";
    const actions = [
      h("button", { type: "button", class: "button", on: { click: check } }, icon("check"), "Check a token"),
      h("button", { type: "button", class: "button", on: { click: narrow } }, "Narrow a token"),
      h("button", { type: "button", class: "button primary", on: { click: ask } }, icon("plus"), "New capability"),
    ];
    const asked = query.holder || query.state;
    const list = page.items.length
      ? paged("Capabilities", columns(), page, (cursor) => get("capabilities", { holder: query.holder, state: query.state, cursor, limit: 100 }))
      : asked
        ? empty("None is like that", "No capability fits this holder and state.")
        : empty("No capability yet", "Give a program or a person the use of a credential without handing it over.", { command: "doorward capability request --for ada --integrations slack --expires 1h" });
    return [head("Capabilities", { lead: page.total ? `${counted(page.total, "grant")}. ${lead}` : lead, actions }), filters(query), list];
  },
};

function filters(query) {
  const holder = field("holder", "Holder", { type: "search", value: query.holder ?? "", autocomplete: "off", spellcheck: "false", "data-search": true, placeholder: "ada" });
  const id = fresh("state");
  const state = h("select", { id, class: "select" }, STATES.map(([value, text]) => h("option", { value, selected: (query.state ?? "") === value }, text)));
  const apply = (event) => {
    event?.preventDefault();
    note({ holder: holder.input.value.trim(), state: state.value });
    again();
  };
  state.addEventListener("change", apply);
  return h("form", { class: "filters", role: "search", on: { submit: apply } }, holder.label, h("div", { class: "field" }, h("label", { for: id }, "State"), state), h("button", { type: "submit", class: "button" }, "Find"));
}

function columns() {
  return [
    ["Holder", (one) => h("div", null, h("strong", null, one.for), one.label && h("p", { class: "muted small" }, one.label))],
    ["State", (one) => badge(one.state)],
    ["May", (one) => limits(one.caveats)],
    ["Ends", (one) => moment(one.expires, "–")],
    ["Given by", (one) => one.giver ?? h("span", { class: "muted" }, "–")],
    ["", (one) => actions(one), "end"],
  ];
}

function limits(caveats) {
  return caveats.length ? h("div", { class: "tags" }, caveats.map((text) => h("span", { class: "tag" }, text))) : h("span", { class: "muted" }, "everything that policies allow");
}

function actions(one) {
  const look = h("button", { type: "button", class: "button compact", "aria-label": `Details of ${one.grant}`, on: { click: () => details(one) } }, "Details");
  const end = one.state === "active" && h("button", { type: "button", class: "button compact danger", "aria-label": `Revoke what ${one.for} holds, ${one.grant}`, on: { click: () => revoke(one) } }, "Revoke");
  return h("div", { class: "actions" }, look, end);
}

function details(one) {
  return open(`Capability of ${one.for}`, () =>
    h(
      "dl",
      { class: "facts" },
      fact("State", badge(one.state)),
      fact("Grant", h("div", { class: "with-button" }, h("code", null, one.grant), copier(one.grant, "Copy the id"))),
      one.label && fact("Label", one.label),
      fact("Given by", one.giver ?? "–"),
      fact("Made", moment(one.created)),
      fact("Ends", moment(one.expires, "–")),
      fact("Limits", limits(one.caveats)),
      fact("Evidence", h("a", { href: `/console/evidence?q=${encodeURIComponent(one.grant)}`, "data-route": true, on: { click: (event) => follow(event, one.grant) } }, "What was done with it")),
    ),
  );
}

function follow(event, grant) {
  event.preventDefault();
  event.target.closest("dialog")?.close();
  go(`/evidence?q=${encodeURIComponent(grant)}`);
}

function revoke(one) {
  return confirm({
    title: `Revoke what ${one.for} holds`,
    consequences: [
      `\`${one.for}\` is refused from this moment on, also in connections that are open.`,
      "Every narrowing of it, whoever holds one, is over as well.",
      "It can't be taken back; another one can be given.",
    ],
    word: one.for,
    verb: "Revoke it",
    act: () => send("DELETE", `capabilities/${part(one.grant)}`),
  }).then((done) => done && (tell("The capability is revoked."), again()));
}

function ask() {
  const key = once();
  return open(
    "New capability",
    (close) => {
      const box = wrongs();
      const form = limitsForm([...REQUEST, ...LIMITS]);
      const button = h("button", { type: "submit", class: "button primary" }, "Make it");
      const submit = (event) => sending(event, { button, box, act: () => send("POST", "capabilities", form.take(), { key }), close });
      return h("form", { autocomplete: "off", on: { submit } }, form.element, box, foot(close, button));
    },
    { wide: true },
  ).then((made) => made?.token && reveal(made, "The new capability"));
}

function narrow() {
  return open(
    "Narrow a token",
    (close) => {
      const box = wrongs();
      const token = tokenField();
      const form = limitsForm(LIMITS);
      const button = h("button", { type: "submit", class: "button primary" }, "Make the narrower one");
      const submit = (event) =>
        sending(event, {
          button,
          box,
          close,
          act: async () => {
            const capability = token.take();
            return send("POST", "capabilities:narrow", { capability, ...form.take() });
          },
        });
      const text = h("p", { class: "muted" }, "What you choose is added to its limits; none can be taken off. Anybody who holds a token can do this, also offline with ", h("code", null, "doorward capability narrow"), ".");
      return h("form", { autocomplete: "off", on: { submit } }, text, token.label, form.element, box, foot(close, button));
    },
    { wide: true },
  ).then((made) => made?.token && reveal(made, "The narrower capability"));
}

function check() {
  return open("Check a token", (close) => {
    const box = wrongs();
    const token = tokenField();
    const result = h("div", { role: "status" });
    const button = h("button", { type: "submit", class: "button primary" }, "Check it");
    const submit = async (event) => {
      event.preventDefault();
      wrong(box, null);
      fill(result);
      const capability = token.take();
      if (!capability) return token.input.focus();
      try {
        fill(result, checked(await send("POST", "capabilities:check", { capability })));
      } catch (problem) {
        wrong(box, problem);
      }
    };
    return h("form", { autocomplete: "off", on: { submit } }, h("p", { class: "muted" }, "Says what it allows and whether it stands. Consumes no use."), token.label, box, result, foot(close, button));
  });
}

function checked(said) {
  const blocks = said.blocks.map((block, at) => fact(at ? `Narrowing ${at}` : "Root", limits(block.caveats)));
  return h("dl", { class: "facts panel" }, fact("State", badge(said.state)), fact("Holder", said.for), fact("Grant", h("code", null, said.grant)), blocks);
}

/** Where a token is pasted: hidden, and emptied when it is taken. */
function tokenField() {
  const made = field("token", "Token", { class: "input masked", required: true, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "data-secret": true, "data-1p-ignore": true, "data-first": true, placeholder: "cap1_…" });
  const take = () => {
    const text = made.input.value.trim();
    made.input.value = "";
    return text;
  };
  return { ...made, take };
}

async function sending(event, { button, box, act, close }) {
  event.preventDefault();
  wrong(box, null);
  button.disabled = true;
  try {
    close(await act());
  } catch (problem) {
    wrong(box, problem);
    button.disabled = false;
  }
}

function foot(close, button) {
  return h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), button);
}

async function reveal(made, title) {
  const { token } = made;
  delete made.token;
  await shownOnce(title, token, "Whoever holds this may do what it allows. This is the only time that it is shown.");
  again();
}
