// The gate: a link from the command line is the usual way; an API key or the organisation's sign-in where there are such.

import { fill, h } from "../core/dom.js";
import { get, send } from "../core/api.js";
import { mark } from "../parts/icons.js";
import { commandLine, hinted, wrong, wrongs } from "../parts/states.js";
import { cleaned } from "../parts/paste.js";

/** The page for whoever is not signed in. `enter(session)` goes on. */
export function gate({ text, enter }) {
  const others = h("div", { class: "form" });
  offer(others, enter);
  return h(
    "main",
    { id: "main", class: "gate", tabindex: "-1" },
    h(
      "div",
      { class: "gate-box" },
      h("p", { class: "brand" }, mark(), "Doorward"),
      text && h("div", { class: "banner", role: "alert" }, h("div", null, hinted(text))),
      h(
        "div",
        { class: "panel form" },
        h("h1", { tabindex: "-1" }, "Sign in"),
        h("p", { class: "muted" }, "On the machine where Doorward runs, this command opens the console. Its link is good for two minutes, once."),
        commandLine("doorward console"),
        others,
      ),
      h("p", { class: "muted small" }, "Secrets go in here and never come out: no page shows one, and this browser keeps none."),
    ),
  );
}

async function offer(box, enter) {
  // What can't be found out is offered: a way that there is not is refused with a reason.
  const ways = await get("session/ways").catch(() => ({ key: true, oidc: null }));
  fill(box, ways.oidc && [or(), oidc(ways.oidc)], ways.key && [or(), byKey(enter)]);
}

function or() {
  return h("p", { class: "or" }, "or");
}

/** It begins at the address to which the provider sends back: a cookie of another name of this machine would not be there. */
function oidc({ title, url }) {
  return h("a", { class: "button primary block", href: url }, `Sign in with ${title}`);
}

function byKey(enter) {
  const box = wrongs();
  const input = h("input", {
    id: "key",
    class: "input masked",
    type: "text",
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "data-secret": true,
    "data-1p-ignore": true,
    "data-lpignore": "true",
    "aria-describedby": "key-note",
  });
  const button = h("button", { type: "submit", class: "button block" }, "Sign in with the key");
  const submit = async (event) => {
    event.preventDefault();
    const key = cleaned(input.value).value;
    input.value = "";
    if (!key) {
      wrong(box, { message: "Paste a key first." });
      input.focus();
      return;
    }
    button.disabled = true;
    try {
      enter(await send("POST", "session", { key }));
    } catch (problem) {
      wrong(box, problem.status === 401 ? { message: "This key opens nothing.", hint: "`doorward key list --tenant NAME` shows which keys are active." } : problem);
      input.focus();
    } finally {
      button.disabled = false;
    }
  };
  return h(
    "form",
    { class: "form", autocomplete: "off", on: { submit } },
    h("div", { class: "field" }, h("label", { for: "key" }, "API key of a tenant"), input, h("p", { id: "key-note", class: "hint" }, "Hidden as you type, sent once, not kept in this browser.")),
    box,
    button,
  );
}
