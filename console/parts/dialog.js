// Dialogs: in the middle, closed by Esc, the focus goes back to where it was. What is destroyed is confirmed by typing its name.

import { fresh, h } from "../core/dom.js";
import { icon } from "./icons.js";
import { commandLine, hinted, wrong, wrongs } from "./states.js";

/** Opens a dialog. `fillIn(close)` gives what is in it. Returns a promise of what it was closed with. */
export function open(title, fillIn, { wide = false, keep = false } = {}) {
  return new Promise((settled) => {
    const before = document.activeElement;
    const id = fresh("dialog");
    let result = null;
    const close = (value = null) => {
      result = value;
      box.close();
    };
    const shut = h("button", { type: "button", class: "bare", "aria-label": "Close", on: { click: () => close() } }, icon("close"));
    const box = h(
      "dialog",
      { class: wide ? "dialog wide" : "dialog", "aria-labelledby": id },
      h("div", { class: "dialog-head" }, h("h2", { id }, title), shut),
      h("div", { class: "dialog-body" }, fillIn(close)),
    );
    box.addEventListener("click", (event) => {
      // Beside it: only where nothing that was typed or shown once would be lost.
      if (event.target === box && !keep) close();
    });
    box.addEventListener("close", () => {
      box.replaceChildren();
      box.remove();
      if (before?.isConnected) before.focus();
      settled(result);
    });
    document.body.append(box);
    box.showModal();
    box.querySelector("[data-first]")?.focus();
  });
}

/** Closes whatever is open, such as when the session is over. */
export function closeAll() {
  for (const box of document.querySelectorAll("dialog[open]")) box.close();
}

/**
 * Says what will happen and does it. `word` is what has to be typed where it can't be taken back; `act` does it and may throw a
 * `Problem`, which is shown while the dialog stays. Gives what `act` gave, or null.
 */
export function confirm({ title, consequences, word, verb, danger = true, reason, act }) {
  return open(title, (close) => {
    const box = wrongs();
    const typed = word && field("word", ["Type ", h("strong", { class: "mono" }, word), " to confirm"], { autocomplete: "off", spellcheck: "false", "data-first": true });
    const why = reason && field("reason", reason.label, { maxlength: 200, autocomplete: "off", "data-first": !word });
    const doIt = h("button", { type: "submit", class: danger ? "button danger" : "button primary", disabled: Boolean(word) }, verb);
    typed?.input.addEventListener("input", () => (doIt.disabled = typed.input.value.trim() !== word));
    const submit = async (event) => {
      event.preventDefault();
      if (doIt.disabled) return;
      wrong(box, null);
      doIt.disabled = true;
      doIt.setAttribute("aria-busy", "true");
      try {
        close((await act(why?.input.value.trim() ?? "")) ?? true);
      } catch (problem) {
        wrong(box, problem);
        doIt.disabled = false;
      } finally {
        doIt.removeAttribute("aria-busy");
      }
    };
    const cancel = h("button", { type: "button", class: "button", "data-first": !word && !reason, on: { click: () => close() } }, "Cancel");
    return h(
      "form",
      { on: { submit }, autocomplete: "off" },
      h("ul", { class: "consequences" }, consequences.map((text) => h("li", null, typeof text === "string" ? hinted(text) : text))),
      typed?.label,
      why?.label,
      box,
      h("div", { class: "dialog-foot" }, cancel, doIt),
    );
  });
}

/** A label with its field. */
export function field(name, label, props = {}) {
  const id = fresh(name);
  const input = h("input", { id, name, type: "text", class: "input", ...props });
  return { input, label: h("div", { class: "field" }, h("label", { for: id }, label), input) };
}

/** Shows a thing that is shown once, such as a key. When the dialog closes it is gone from the page. */
export function shownOnce(title, text, note, command) {
  const shown = h("output", { class: "once mono", tabindex: "0", "data-first": true }, text);
  const copied = h("span", { class: "muted", role: "status" });
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      copied.textContent = "Copied. It stays in the clipboard until something else is copied.";
    } catch {
      copied.textContent = "The browser does not let this page copy. Select the text and copy it by hand.";
    }
  };
  const done = open(
    title,
    (close) => [
      h("p", null, note),
      shown,
      copied,
      command && commandLine(command),
      h(
        "div",
        { class: "dialog-foot" },
        h("button", { type: "button", class: "button", on: { click: copy } }, icon("copy"), "Copy"),
        h("button", { type: "button", class: "button primary", on: { click: () => close() } }, "I have stored it"),
      ),
    ],
    { keep: true },
  );
  return done.finally(() => (shown.textContent = ""));
}
