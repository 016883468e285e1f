// All tenants: found, made, and opened.

import { get, once, part, send } from "../core/api.js";
import { fresh, h, link } from "../core/dom.js";
import { counted, moment } from "../core/format.js";
import { go, note } from "../core/router.js";
import { open, field } from "../parts/dialog.js";
import { badge, empty, head, skeletons, wrong, wrongs } from "../parts/states.js";
import { icon, tile } from "../parts/icons.js";
import { paged } from "../parts/lines.js";
import { tell } from "../parts/live.js";

const PLANS = [
  ["STARTER", "Starter, 3 providers"],
  ["PROFESSIONAL", "Professional, 6 providers"],
  ["SCALE", "Scale, 10 providers"],
  ["ENTERPRISE", "Enterprise, as many as there are"],
];

export const tenants = {
  title: "Tenants",
  skeleton: () => skeletons("Tenants"),
  load: ({ query, signal }) => get("tenants", { q: query.q, limit: 100 }, signal),
  view(page, { query, signal }) {
    const make = h("button", { type: "button", class: "button primary", on: { click: create } }, icon("plus"), "New tenant");
    const lead = "Each has data keys and a chain of evidence of its own: what one keeps, no other reaches.";
    if (!page.items.length && !query.q) {
      return [
        head("Tenants", { lead, actions: make }),
        empty("No tenant yet", "Make one for each customer whose provider keys you keep.", { command: "doorward tenant create acme_inc" }),
      ];
    }
    const list = h("div");
    const show = (found, q) =>
      list.replaceChildren(
        found.items.length
          ? paged("Tenants", columns(), found, (cursor) => get("tenants", { q, cursor, limit: 100 }))
          : empty("None is called like that", `No tenant has “${q}” in its name.`),
      );
    show(page, query.q);
    return [head("Tenants", { lead: `${counted(page.total, "tenant")}. ${lead}`, actions: make }), finder(query.q, show, signal), list];
  },
};

function columns() {
  return [
    ["Tenant", (one) => h("div", { class: "card-top" }, tile(one.name), link(`/tenants/${part(one.name)}`, null, one.name))],
    ["State", (one) => badge(one.status)],
    ["Plan", (one) => h("span", null, one.plan.toLowerCase(), h("span", { class: "muted" }, one.providers ? ` · ${one.providers} providers` : ""))],
    ["Active keys", (one) => String(one.keys)],
    ["Since", (one) => moment(one.created)],
  ];
}

/** The field above the list; asks a moment after the last letter. */
function finder(q, show, signal) {
  const id = fresh("find");
  const input = h("input", { id, class: "input", type: "search", value: q ?? "", placeholder: "Find a tenant", autocomplete: "off", spellcheck: "false", "data-search": true });
  let timer = null;
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const words = input.value.trim();
      note({ q: words });
      const found = await get("tenants", { q: words, limit: 100 }, signal).catch((problem) => tell(problem.message, "bad"));
      if (found && input.value.trim() === words) show(found, words);
    }, 200);
  });
  return h("div", { class: "search" }, h("label", { class: "unseen", for: id }, "Find a tenant"), icon("search"), input);
}

function create() {
  const key = once();
  return open("New tenant", (close) => {
    const box = wrongs();
    const name = field("name", "Name", { required: true, autocomplete: "off", spellcheck: "false", maxlength: 50, placeholder: "acme_inc", "data-first": true, "aria-describedby": "name-note" });
    const plan = h("select", { id: "plan", class: "select" }, PLANS.map(([value, title]) => h("option", { value }, title)));
    const hint = h("p", { class: "hint", id: "name-note" }, "3 to 50 lower-case letters, digits and “_”. It can't be changed, and is never used twice.");
    const good = () => /^[a-z0-9_]{3,50}$/.test(name.input.value);
    name.input.addEventListener("input", () => {
      const wrongly = name.input.value !== "" && !good();
      name.input.setAttribute("aria-invalid", String(wrongly));
      hint.classList.toggle("is-bad", wrongly);
    });
    const button = h("button", { type: "submit", class: "button primary" }, "Make the tenant");
    const submit = async (event) => {
      event.preventDefault();
      if (!good()) return name.input.focus();
      button.disabled = true;
      try {
        const made = await send("POST", "tenants", { name: name.input.value, plan: plan.value }, { key });
        close();
        tell(`Made the tenant ${made.name}.`);
        go(`/tenants/${part(made.name)}`);
      } catch (problem) {
        wrong(box, problem);
        button.disabled = false;
      }
    };
    name.label.append(hint);
    return h(
      "form",
      { on: { submit }, autocomplete: "off" },
      name.label,
      h("div", { class: "field" }, h("label", { for: "plan" }, "Plan"), plan),
      box,
      h("div", { class: "dialog-foot" }, h("button", { type: "button", class: "button", on: { click: () => close() } }, "Cancel"), button),
    );
  });
}
