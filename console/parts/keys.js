// Keys without a modifier: `/` to the search, `?` to what there is. They can be switched off in the settings of the session.

import { h } from "../core/dom.js";
import { go } from "../core/router.js";
import { session } from "../core/session.js";
import { open } from "./dialog.js";

const KEYS = [
  ["/", "Search on this page, or in the evidence"],
  ["?", "These keys"],
  ["Esc", "Close a dialog"],
];

/** Listens, from the beginning on. */
export function shortcuts() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !session()) return;
    if (!globalThis.doorwardPrefs.keys() || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/") search(event);
    if (event.key === "?") {
      event.preventDefault();
      show();
    }
  });
}

function typing(target) {
  return target.closest?.("input, textarea, select, [contenteditable]");
}

async function search(event) {
  event.preventDefault();
  const field = document.querySelector("main [data-search]");
  if (field) field.focus();
  else await go("/evidence").then(() => document.querySelector("main [data-search]")?.focus());
}

/** The list of keys. */
export function show() {
  return open("Keys", () => h("dl", { class: "facts" }, KEYS.map(([key, text]) => h("div", null, h("dt", null, h("kbd", null, key)), h("dd", null, text)))));
}
