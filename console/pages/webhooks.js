// Webhooks: who is told of what, and how that goes. A signing key is shown once, when it is made.

import { get, once, part, send } from "../core/api.js";
import { fresh, h } from "../core/dom.js";
import { counted, moment } from "../core/format.js";
import { again } from "../core/router.js";
import { confirm, field, open, shownOnce } from "../parts/dialog.js";
import { icon } from "../parts/icons.js";
import { paged, table } from "../parts/lines.js";
import { tell } from "../parts/live.js";
import { badge, empty, head, skeletons, wrong, wrongs } from "../parts/states.js";

export const webhooks = {
  title: "Webhooks",
  skeleton: () => skeletons("Webhooks"),
  load: ({ signal }) => get("webhooks", { limit: 100 }, signal),
  view(page) {
    const lead = "Receivers that are told what happens, signed, at least once, from the evidence.";
    const actions = [h("button", { type: "button", class: "button primary", on: { click: () => add(page.known) } }, icon("plus"), "New webhook")];
    const list = page.items.length
      ? paged("Webhooks", columns(), page, (cursor) => get("webhooks", { cursor, limit: 100 }))
      : empty("No webhook yet", "Have a program of yours told when a credential fails, an approval waits or a plan has ended.");
    return [head("Webhooks", { lead: page.total ? `${counted(page.total, "webhook")}. ${lead}` : lead, actions }), list];
  },
};

function columns() {
  return [
    ["Receiver", (one) => h("div", null, h("strong", { class: "mono" }, one.url), one.label && h("p", { class: "muted small" }, one.label))],
    ["State", (one) => badge(one.state)],
    ["Told of", (one) => events(one.events)],
    ["Made", (one) => moment(one.created)],
    ["", (one) => actions(one), "end"],
  ];
}

function events(names) {
  return names.length ? h("div", { class: "tags" }, names.map((name) => h("span", { class: "tag" }, name))) : h("span", { class: "muted" }, "everything");
}

function actions(one) {
  const button = (text, act, kind = "") => h("button", { type: "button", class: `button compact ${kind}`, "aria-label": `${text}: ${one.url}`, on: { click: () => act(one) } }, text);
  return h(
    "div",
    { class: "actions" },
    button("Deliveries", deliveries),
    one.state === "disabled" ? button("Enable", enable) : button("Test", test),
    button("New key", rotate),
    button("Forget", forget, "danger"),
  );
}

function add(known) {
  const key = once();
  return open(
    "New webhook",
    (close) => {
      const box = wrongs();
      const url = field("url", "Receiver", { type: "url", required: true, maxlength: 2000, autocomplete: "off", spellcheck: "false", placeholder: "https://hooks.example/doorward", "data-first": true });
      const label = field("label", "Label", { maxlength: 200, autocomplete: "off", placeholder: "on call" });
      const choices = known.map((name) => {
        const id = fresh("event");
        const input = h("input", { id, type: "checkbox", value: name });
        return { input, element: h("div", null, input, " ", h("label", { for: id, class: "mono" }, name)) };
      });
      const group = h("fieldset", null, h("legend", null, "Told of (of everything, where none is chosen)"), choices.map(({ element }) => element));
      const button = h("button", { type: "submit", class: "button primary" }, "Make it");
      const submit = async (event) => {
        event.preventDefault();
        wrong(box, null);
        button.disabled = true;
        const chosen = choices.filter(({ input }) => input.checked).map(({ input }) => input.value);
        const body = { url: url.input.value.trim() };
        if (chosen.length) body.events = chosen;
        if (label.input.value.trim()) body.label = label.input.value.trim();
        try {
          close(await send("POST", "webhooks", body, { key }));
        } catch (problem) {
          wrong(box, problem);
          button.disabled = false;
        }
      };
      const foot = h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), button);
      return h("form", { autocomplete: "off", on: { submit } }, url.label, label.label, group, box, foot);
    },
    { wide: true },
  ).then((made) => made?.secret && reveal(made, "The signing key"));
}

async function reveal(made, title) {
  const { secret } = made;
  delete made.secret;
  await shownOnce(title, secret, "The receiver checks `webhook-signature` with it. This is the only time that it is shown.");
  again();
}

async function test(one) {
  try {
    const told = await send("POST", `webhooks/${part(one.id)}:test`);
    const last = told.tries.at(-1);
    if (told.state === "delivered") tell("The receiver took the test.");
    else tell(`The receiver did not take the test: ${last?.error ?? `status ${last?.status}`}.`, "bad");
  } catch (problem) {
    tell(problem.message, "bad");
  }
}

async function enable(one) {
  try {
    await send("POST", `webhooks/${part(one.id)}:enable`);
    tell("It is told again, from where it was switched off.");
    again();
  } catch (problem) {
    tell(problem.message, "bad");
  }
}

function rotate(one) {
  return confirm({
    title: "A new signing key",
    consequences: ["The former key signs beside the new one for a day; the receiver changes within that."],
    verb: "Make it",
    danger: false,
    act: () => send("POST", `webhooks/${part(one.id)}:rotate`),
  }).then((made) => made?.secret && reveal(made, "The new signing key"));
}

function forget(one) {
  return confirm({
    title: "Forget this webhook",
    consequences: ["The receiver is told nothing any more, also not what it was not told yet.", "What it was told stays in the evidence."],
    word: new URL(one.url).host,
    verb: "Forget it",
    act: () => send("DELETE", `webhooks/${part(one.id)}`),
  }).then((done) => done && (tell("The webhook is forgotten."), again()));
}

async function deliveries(one) {
  const box = wrongs();
  let page = { items: [] };
  try {
    page = await get(`webhooks/${part(one.id)}/deliveries`, { limit: 1000 });
  } catch (problem) {
    wrong(box, problem);
  }
  const redeliver = async (delivery, close) => {
    try {
      await send("POST", `webhooks/${part(one.id)}/deliveries/${part(delivery.id)}:redeliver`);
      close();
      tell("It is told once more, with the same id.");
    } catch (problem) {
      wrong(box, problem);
    }
  };
  return open(
    `Deliveries to ${new URL(one.url).host}`,
    (close) => {
      const columns = [
        ["Event", (line) => h("div", null, h("strong", { class: "mono" }, line.event), h("p", { class: "muted small mono" }, line.id))],
        ["State", (line) => badge(line.state)],
        ["When", (line) => moment(line.at)],
        ["Last try", (line) => said(line)],
        ["", (line) => line.state !== "waiting" && h("button", { type: "button", class: "button compact", "aria-label": `Tell ${line.id} again`, on: { click: () => redeliver(line, close) } }, "Again"), "end"],
      ];
      const list = page.items.length ? table("Deliveries", columns, [...page.items].reverse()).element : h("p", { class: "muted" }, "Nothing yet.");
      return h("div", null, box, list);
    },
    { wide: true },
  );
}

function said(line) {
  const last = line.tries.at(-1);
  if (!last) return h("span", { class: "muted" }, "not yet");
  const text = last.error ?? `status ${last.status}`;
  return line.next ? h("span", null, text, ", again ", moment(line.next)) : text;
}
