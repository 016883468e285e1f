// What is said aside: to readers of the screen, and as short notes at the edge of it.

import { fill, h } from "../core/dom.js";
import { icon } from "./icons.js";

const spoken = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
const notes = h("div", { class: "notes", role: "status", "aria-live": "polite" });

/** The two regions; they stand in the page from its beginning, or they would not be read out. */
export function regions() {
  return [spoken, notes];
}

/** Says something to readers of the screen only. */
export function announce(text) {
  spoken.textContent = "";
  // A text that is put in anew is read out, also where it is the same as before.
  requestAnimationFrame(() => (spoken.textContent = text));
}

/** Shows a note that goes by itself. What matters longer stands in the page; so does a note with a button, until it is pressed. */
export function tell(text, kind = "good", [verb, act] = []) {
  const gone = () => one.remove();
  const press = () => {
    gone();
    act();
  };
  const close = h("button", { type: "button", class: "bare", "aria-label": "Dismiss", on: { click: gone } }, icon("close"));
  const one = h("div", { class: `note note-${kind}` }, icon(kind === "good" ? "check" : "alert"), h("p", null, text), verb && h("button", { type: "button", class: "button compact", on: { click: press } }, verb), close);
  notes.append(one);
  if (!verb) setTimeout(gone, 8_000);
}

/** Takes all notes away. */
export function hush() {
  fill(notes);
}
