// How a line of evidence, a list that is longer than one page, and a table look.

import { fill, h, link } from "../core/dom.js";
import { part } from "../core/api.js";
import { wrong, wrongs } from "./states.js";

/** What was done, as a link to its record, in the chain of this tenant. */
export function deed(line, tenant) {
  const name = line.integration ? `${line.integration}/${line.operation}` : (line.event ?? "refused before it was known");
  return line.id ? link(`/evidence/${part(line.id)}${tenant ? `?tenant=${encodeURIComponent(tenant)}` : ""}`, { class: "mono" }, name) : h("span", { class: "mono" }, name);
}

/** A table that becomes a list of cards where there is little room: `columns` is `[[title, cell(row), class?]]`. */
export function table(caption, columns, rows) {
  const body = h("tbody");
  const line = (row) =>
    h("tr", null, columns.map(([title, cell, kind]) => h("td", { "data-label": title, class: kind }, h("div", null, cell(row)))));
  const add = (more) => more.forEach((row) => body.append(line(row)));
  add(rows);
  const heads = columns.map(([title, , kind]) => h("th", { scope: "col", class: kind }, title || h("span", { class: "unseen" }, "Actions")));
  const element = h("table", { class: "table" }, h("caption", { class: "unseen" }, caption), h("thead", null, h("tr", null, heads)), body);
  return { element, add };
}

/** A table of which so many lines are shown at once, with a button for the next. `more(cursor)` gives the next `{items, next}`. */
export function paged(caption, columns, page, more, { step = fitting() } = {}) {
  const kept = [...page.items];
  const { element, add } = table(caption, columns, kept.splice(0, step));
  const foot = h("div", { class: "more" });
  const box = wrongs();
  let cursor = page.next;
  const load = async () => {
    button.disabled = true;
    try {
      if (!kept.length) {
        const next = await more(cursor);
        kept.push(...next.items);
        cursor = next.next;
      }
      wrong(box, null);
      add(kept.splice(0, step));
      offer();
    } catch (problem) {
      wrong(box, problem);
    } finally {
      button.disabled = false;
    }
  };
  const button = h("button", { type: "button", class: "button compact", on: { click: load } }, "Load more");
  const offer = () => {
    if (!kept.length && !cursor) foot.remove();
  };
  fill(foot, button);
  const all = h("div", { class: "panel panel-tight" }, element, box, foot);
  offer();
  return all;
}

/** How many lines are shown at once: fewer in a hand, where each takes more room. */
function fitting() {
  return matchMedia("(max-width: 46rem)").matches ? 20 : 50;
}
