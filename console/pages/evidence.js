// Evidence: searched and filtered, as a picture over time and as lines; and whether the whole chain verifies.

import { download, get, send } from "../core/api.js";
import { fill, fresh, h } from "../core/dom.js";
import { count, counted, duration, exact, moment } from "../core/format.js";
import { again, note } from "../core/router.js";
import { session } from "../core/session.js";
import { binned, timeline } from "../parts/charts.js";
import { field } from "../parts/dialog.js";
import { icon } from "../parts/icons.js";
import { badge, empty, head, skeletons, wrong, wrongs } from "../parts/states.js";
import { deed, paged } from "../parts/lines.js";
import { tell } from "../parts/live.js";
import { sort } from "./overview.js";

const SPANS = [["1h", "The last hour"], ["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"], ["", "From the beginning"]];
const RESULTS = [["", "Any result"], ["ok", "Done"], ["refused", "Refused"], ["failed", "Failed"], ["unknown", "Unknown"], ["open", "Open"]];
const LENGTHS = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000, "30d": 2_592_000_000 };
const SERIES = [
  ["ok", "Done", "good"],
  ["refused", "Refused", "warn"],
  ["failed", "Failed", "bad"],
  ["other", "Other", "quiet"],
];

export const evidence = {
  title: "Evidence",
  skeleton: () => skeletons("Evidence"),
  async load({ query, signal }) {
    const words = asked(query);
    return { words, page: await get("evidence", { ...words, limit: 1000 }, signal) };
  },
  view({ words, page }) {
    const lead = "Who did what, under which grant, with what result. Nobody can change a line without breaking the chain.";
    return [
      head("Evidence", { lead, actions: exporting(words) }),
      verification(words),
      filters(words),
      page.items.length ? picture(page, words) : null,
      page.items.length ? lines(page, words) : nothing(words),
    ];
  },
};

/** All of the chain as a file. */
function exporting(words) {
  const act = async () => {
    button.disabled = true;
    try {
      await download("evidence:export", { tenant: words.tenant }, "evidence.txt");
    } catch (problem) {
      tell(problem.message, "bad");
    } finally {
      button.disabled = false;
    }
  };
  const button = h("button", { type: "button", class: "button", on: { click: act } }, "Export");
  return button;
}

function asked(query) {
  const { q, result, principal, integration } = query;
  const since = query.since === undefined ? "24h" : query.since === "all" ? "" : query.since;
  // The house may look into the chain of each tenant.
  const tenant = session()?.house ? query.tenant : undefined;
  return { q, result, principal, integration, since, tenant };
}

/** Whose chain it is, for an address. */
function chain({ tenant }) {
  return tenant ? `?tenant=${encodeURIComponent(tenant)}` : "";
}

/** Verifies all of it, where somebody asks: that reads every record. */
function verification(words) {
  const said = h("div", null, h("strong", null, words.tenant ? `The chain of ${words.tenant}` : "The chain"), h("p", null, "Every record holds the hash of the one before, and signed checkpoints cover them all."));
  const drawing = h("span", null, icon("evidence"));
  const act = async () => {
    button.disabled = true;
    button.textContent = "Verifying…";
    try {
      const found = await send("POST", `evidence:verify${chain(words)}`, {});
      box.className = `banner banner-${found.verified ? "good" : "bad"}`;
      fill(drawing, icon(found.verified ? "check" : "alert"));
      fill(said, found.verified ? good(found) : broken(found));
    } catch (problem) {
      wrong(failure, problem);
    } finally {
      button.disabled = false;
      button.textContent = "Verify again";
    }
  };
  const failure = wrongs();
  const button = h("button", { type: "button", class: "button compact", on: { click: act } }, "Verify now");
  const box = h("div", { class: "banner banner-info", role: "status" }, drawing, said, button);
  return h("div", { class: "form" }, box, failure);
}

function good(found) {
  const until = typeof found.signed_until === "string" ? [", signed until ", exact(found.signed_until)] : null;
  return [
    h("strong", null, "Verified"),
    h("p", null, counted(found.records, "record"), " and ", counted(found.checkpoints, "checkpoint"), until, found.unsigned ? `; ${count(found.unsigned)} newer than the last checkpoint` : "", found.open ? `; ${counted(found.open, "call")} still open` : "", "."),
  ];
}

function broken(found) {
  return [h("strong", null, "It does not verify"), h("p", null, found.finding), h("p", null, "Keep the home as it is, and look at an export on another machine: ", h("code", null, "doorward evidence verify FILE --key-file KEY"))];
}

function filters(words) {
  const q = field("q", "Search", { type: "search", value: words.q ?? "", autocomplete: "off", spellcheck: "false", "data-search": true, placeholder: "A name, an id, a resource" });
  const select = (name, label, choices, value) => {
    const id = fresh(name);
    const box = h("select", { id, class: "select" }, choices.map(([word, text]) => h("option", { value: word, selected: word === (value ?? "") }, text)));
    box.addEventListener("change", () => apply());
    return { box, element: h("div", { class: "field" }, h("label", { for: id }, label), box) };
  };
  const since = select("since", "Since", SPANS, words.since);
  const result = select("result", "Result", RESULTS, words.result);
  const who = field("principal", "Who", { type: "search", value: words.principal ?? "", autocomplete: "off", spellcheck: "false", placeholder: "anybody" });
  const integration = field("integration", "Integration", { type: "search", value: words.integration ?? "", autocomplete: "off", spellcheck: "false", placeholder: "any" });
  const of = session()?.house ? field("tenant", "Tenant", { type: "search", value: words.tenant ?? "", autocomplete: "off", spellcheck: "false", placeholder: "the house" }) : null;
  const apply = (event) => {
    event?.preventDefault();
    const text = (one) => one.input.value.trim();
    note({ q: text(q), since: since.box.value === "" ? "all" : since.box.value === "24h" ? "" : since.box.value, result: result.box.value, principal: text(who), integration: text(integration), tenant: of && text(of) });
    again();
  };
  q.label.classList.add("wide");
  return h("form", { class: "filters", role: "search", on: { submit: apply } }, q.label, since.element, result.element, who.label, integration.label, of?.label, h("button", { type: "submit", class: "button" }, icon("search"), "Find"));
}

function picture(page, words) {
  const items = page.items.filter((line) => line.time);
  const now = Date.now();
  const span = LENGTHS[words.since];
  const oldest = Date.parse(items.at(-1).time);
  const from = span && !page.next ? now - span : Math.min(oldest, now - 60_000);
  const bins = binned(items, { from, to: now, bins: 32, key: sort });
  return h("div", { class: "panel" }, timeline("Records over time", SERIES, bins, { day: now - from > 2 * 86_400_000 }));
}

function lines(page, words) {
  const columns = [
    ["When", (line) => h("div", { class: "nowrap" }, moment(line.time), h("p", { class: "muted small" }, `#${line.seq}`))],
    ["What", (line) => h("div", null, deed(line, words.tenant), line.resource && line.resource !== "*" && h("p", { class: "muted small mono" }, line.resource))],
    ["Who", (line) => (line.principal ? h("div", null, line.principal, h("p", { class: "muted small" }, [line.proof, line.door].filter(Boolean).join(" · "))) : h("span", { class: "muted" }, line.id ? "nobody proven" : "Doorward"))],
    ["Result", (line) => h("div", null, badge(line.result), (line.code || line.status) && h("p", { class: "muted small" }, [line.status, line.code].filter(Boolean).join(" ")))],
    ["Took", (line) => duration(line.duration_us), "end"],
  ];
  return paged("Evidence", columns, page, (cursor) => get("evidence", { ...words, cursor, limit: 200 }));
}

function nothing(words) {
  const filtered = words.q || words.result || words.principal || words.integration || words.tenant;
  return filtered
    ? empty("No record fits", "Take a filter off, or look further back.")
    : empty("Nothing was done in this time", "Every use of a credential leaves a record here, also one that was refused.", { command: "doorward evidence list --since 30d" });
}
