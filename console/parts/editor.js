// An editor for policies: lines with numbers, words told apart, what is wrong shown at its line. Tab leaves it, as it leaves any field.

import { fill, fresh, h } from "../core/dom.js";

const WORDS = /^(permit|forbid|when|unless|in|is|has|like|if|then|else|principal|action|resource|context|true|false)$/;
const TOKENS = /(\/\/[^\n]*)|("(?:[^"\\\n]|\\.)*"?)|(@[A-Za-z_]+)|([A-Za-z_][A-Za-z0-9_]*)|([^A-Za-z_"/@]+|[/"@])/g;

/** Builds one; gives its element, `value()`, `findings(list)` and `at(line, column)`. */
export function editor(text, { label, changed = () => {}, describedby } = {}) {
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const paint = h("pre", { "aria-hidden": "true" });
  const input = h("textarea", { id: fresh("editor"), "aria-label": label, "aria-describedby": describedby ?? null, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", value: text });
  let wrongLines = new Set();
  const draw = () => {
    const lines = input.value.split("\n").length;
    fill(gutter, Array.from({ length: lines }, (_, at) => h("span", { class: wrongLines.has(at + 1) ? "line-wrong" : null }, String(at + 1))));
    fill(paint, coloured(input.value), "\n");
    follow();
  };
  const follow = () => {
    gutter.scrollTop = input.scrollTop;
    paint.scrollTop = input.scrollTop;
    paint.scrollLeft = input.scrollLeft;
  };
  input.addEventListener("input", () => {
    draw();
    changed(input.value);
  });
  input.addEventListener("scroll", follow);
  draw();
  return {
    element: h("div", { class: "editor" }, gutter, h("div", { class: "sheet" }, paint, input)),
    value: () => input.value,
    findings(list) {
      wrongLines = new Set(list.map((one) => one.line).filter(Boolean));
      input.setAttribute("aria-invalid", String(list.length > 0));
      draw();
    },
    at(line, column = 1) {
      const before = input.value.split("\n").slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
      input.focus();
      input.setSelectionRange(before + column - 1, before + column - 1);
      const tall = input.scrollHeight / input.value.split("\n").length;
      input.scrollTop = Math.max(0, (line - 4) * tall);
      follow();
    },
  };
}

function coloured(text) {
  const pieces = [];
  for (const [whole, note, string, mark, word] of text.matchAll(TOKENS)) {
    const kind = note ? "note" : string ? "text" : mark ? "mark" : word && WORDS.test(word) ? "word" : null;
    pieces.push(kind ? h("span", { class: `tok-${kind}` }, whole) : whole);
  }
  return pieces;
}

/** What is wrong, as a list that leads to the places. */
export function findingsList(findings, goTo) {
  if (!findings.length) return null;
  const one = ({ message, line, column }) =>
    h("li", null, line ? h("button", { type: "button", on: { click: () => goTo(line, column) } }, `Line ${line}`) : null, h("span", null, message));
  return h("ul", { class: "findings", "aria-label": "What is wrong" }, findings.map(one));
}
