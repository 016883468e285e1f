// The words of a capability's limits, as fields: what is left empty limits nothing.

import { fresh, h } from "../core/dom.js";
import { get } from "../core/api.js";

/** `[name, label, kind, placeholder or choices]`; a list is written with commas. */
export const REQUEST = [
  ["for", "Holder", "text", "ada", { required: true, "data-first": true }],
  ["label", "Label", "text", "nightly report"],
];
export const LIMITS = [
  ["integrations", "Integrations", "list", "slack, github"],
  ["operations", "Operations", "list", "slack/chat.post"],
  ["access", "Access", "choice", [["", "Read and write"], ["read", "Read only"], ["write", "Write only"]]],
  ["expires", "Ends after", "text", "1h"],
  ["uses", "Uses at most", "text", "5"],
  ["approval", "A second person approves", "choice", [["", "Nothing"], ["writes", "Writes"], ["all", "Every call"]]],
];
const MORE = [
  ["resources", "Resources", "list", "C0123, C0456"],
  ["paths", "Paths", "list", "/repos/acme/"],
  ["methods", "Methods", "list", "GET"],
  ["hosts", "Hosts", "list", "api.example.com"],
  ["rate", "Rate", "text", "10/1m"],
  ["cidr", "From addresses", "list", "10.0.0.0/8"],
  ["hours", "Hours", "text", "mon-fri 09:00-17:00 Europe/Berlin"],
  ["environment", "Environment", "text", "production"],
  ["not_before", "Begins", "text", "2026-12-01T08:00:00Z"],
  ["purpose", "Purpose", "text", "weekly report"],
];

/** Builds the fields; `take()` gives what was filled in, as the API reads it. */
export function limitsForm(words) {
  const known = h("datalist", { id: fresh("known") });
  get("integrations", { limit: 1000 })
    .then(({ items }) => known.append(...items.map(({ name }) => h("option", { value: name }))))
    .catch(() => {});
  const [first, more] = [words, MORE].map((list) => list.map((word) => one(word, known)));
  const all = [...first, ...more];
  return {
    element: h("div", { class: "form" }, h("div", { class: "pair" }, first.map(({ element }) => element)), h("details", null, h("summary", null, "More limits"), h("div", { class: "pair" }, more.map(({ element }) => element))), known),
    take: () => Object.fromEntries(all.map(({ name, value }) => [name, value()]).filter(([, value]) => value !== undefined)),
  };
}

function one([name, label, kind, hint, props = {}], known) {
  const id = fresh(name);
  const input =
    kind === "choice"
      ? h("select", { id, class: "select" }, hint.map(([value, text]) => h("option", { value }, text)))
      : h("input", { id, class: "input", type: "text", autocomplete: "off", spellcheck: "false", placeholder: hint, list: name === "integrations" ? known.id : null, ...props });
  const value = () => {
    const text = input.value.trim();
    if (!text) return undefined;
    return kind === "list" ? text.split(",").map((word) => word.trim()).filter(Boolean) : text;
  };
  return { name, value, element: h("div", { class: "field" }, h("label", { for: id }, label), input) };
}
