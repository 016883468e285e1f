// The first page: how Doorward is, what waits for somebody, what was done lately.

import { get, part } from "../core/api.js";
import { h, link } from "../core/dom.js";
import { count, counted, duration, moment, shortened } from "../core/format.js";
import { idle, whilePresent } from "../core/present.js";
import { again } from "../core/router.js";
import { bars, binned, timeline } from "../parts/charts.js";
import { badge, empty, head, section, sentence, skeletons } from "../parts/states.js";
import { icon, tile } from "../parts/icons.js";
import { deed } from "../parts/lines.js";

const HOUR = 3_600_000;
/** How many records are read, and how many credentials are shown. */
const READ = 1000;
const SHOWN = 6;
const SERIES = [
  ["ok", "Done", "good"],
  ["refused", "Refused", "warn"],
  ["failed", "Failed", "bad"],
  ["other", "Open or unknown", "quiet"],
];

export const overview = {
  title: "Overview",
  skeleton: () => skeletons("Overview", "cards"),
  async load({ signal }) {
    const [status, tenants, troubles, approvals, evidence, refused, metrics] = await Promise.all([
      get("status", null, signal),
      get("tenants", { status: "active", limit: 1 }, signal).catch(() => null),
      get("credentials", { connected: false, limit: SHOWN }, signal).catch(() => null),
      get("approvals", { state: "pending", limit: 5 }, signal).catch(() => null),
      get("evidence", { since: "24h", limit: READ }, signal).catch(() => null),
      // On its own: the newest records of all kinds may hold none of them.
      get("evidence", { since: "24h", result: "refused", limit: READ }, signal).catch(() => null),
      get("metrics", null, signal).catch(() => null),
    ]);
    return { status, tenants, troubles, approvals, evidence, refused, metrics };
  },
  view({ status, tenants, troubles, approvals, evidence, refused, metrics }, { ends }) {
    ends(whilePresent(60_000, () => idle() && again()));
    return [
      head("Overview", { lead: "How Doorward is, and what waits for somebody." }),
      warnings(status.warnings),
      figures(status, { tenants, troubles, evidence, refused }),
      h("div", { class: "columns" }, waiting(approvals, status), attention(troubles, tenants)),
      activity(evidence),
      pictures(metrics),
    ];
  },
};

function warnings(texts = []) {
  return texts.map((text) => h("div", { class: "banner" }, icon("alert"), h("div", null, sentence(text))));
}

function figures(status, { tenants, troubles, evidence, refused }) {
  const some = troubles && tenants && troubles.tenants < tenants.total;
  // Where more was done than is read here, it is at least so many.
  const atLeast = (read) => (read ? `${count(deeds(read).length)}${read.next ? "+" : ""}` : "–");
  const figure = (name, value, note) => h("div", { class: "figure" }, h("dt", null, name), h("dd", null, value, note && h("small", null, note)));
  return h(
    "dl",
    { class: "figures" },
    figure("Broker", badge(status.state), `version ${status.version}`),
    figure("Tenants", tenants ? count(tenants.total) : "–", status.environment ? `environment ${status.environment}` : "active"),
    figure(
      "Credentials",
      troubles ? `${count(troubles.connected)} of ${count(troubles.configured)}` : "–",
      some ? `connected, of the first ${count(troubles.tenants)} tenants` : "connected",
    ),
    figure("Calls", atLeast(evidence), "in the last 24 hours"),
    figure("Refused", atLeast(refused), "in the last 24 hours"),
  );
}

/** What was done, without the looks at Doorward itself, which this page makes too. They are among the evidence like all others. */
function deeds(evidence) {
  return (evidence?.items ?? []).filter((line) => line.id && !(line.integration === "doorward" && line.access === "read"));
}

function waiting(approvals, status) {
  const list = approvals?.items ?? [];
  const all = status.waiting ?? {};
  const more = list.length < (all.approvals ?? 0) ? link("/approvals", { class: "small" }, `All ${all.approvals}`) : null;
  const row = (one) =>
    h(
      "li",
      null,
      icon("wait"),
      h("div", { class: "grow" }, link(`/approvals/${part(one.id)}`, null, one.operation), h("p", { class: "muted small" }, one.for, " asked ", moment(one.asked))),
      badge(one.risk),
    );
  const plans = all.plans ? h("li", null, icon("wait"), h("div", { class: "grow" }, link("/approvals", null, `${counted(all.plans, "plan")} to look at`))) : null;
  return section(
    "Waits for somebody",
    { side: more },
    list.length || plans
      ? h("ul", { class: "panel panel-tight list waits" }, list.map(row), plans)
      : empty("Nothing waits", "Calls that a policy wants approved by a second person appear here."),
  );
}

function attention(troubles, tenants) {
  const row = (one) =>
    h(
      "li",
      null,
      tile(one.provider),
      h(
        "div",
        { class: "grow" },
        link(`/tenants/${part(one.tenant)}/${part(one.provider.toLowerCase())}`, null, `${one.tenant} · ${one.provider}`),
        h("p", { class: "muted small" }, one.error ?? (one.status === "PENDING" ? "was not validated yet" : "")),
      ),
      badge(one.status),
    );
  if (troubles?.items.length) {
    const rest = troubles.total - troubles.items.length;
    const more = rest > 0 && h("li", { class: "muted" }, `and ${count(rest)} more`);
    return section("Credentials to look after", {}, h("ul", { class: "panel panel-tight list" }, troubles.items.map(row), more));
  }
  if (!troubles) return section("Credentials to look after", {}, empty("Not known", "The credentials of tenants could not be read now."));
  const nobody = tenants && tenants.total === 0;
  return section(
    "Credentials to look after",
    {},
    nobody
      ? empty("No tenant yet", "A tenant keeps the provider keys of one customer behind a wall of its own.", {
          command: "doorward tenant create acme_inc",
          action: link("/tenants", { class: "button primary" }, icon("plus"), "Make a tenant"),
        })
      : empty("All is well", "Credentials that a provider refuses, that are over, or that were not validated yet appear here."),
  );
}

/** What a line of the evidence counts as in the picture. */
export function sort(line) {
  if (line.result === "ok" || line.result === "done") return "ok";
  return line.result === "refused" || line.result === "failed" ? line.result : "other";
}

function activity(evidence) {
  const lines = deeds(evidence);
  const title = evidence?.next ? `The newest ${counted(evidence.items.length, "record")}` : "The last 24 hours";
  const refresh = h("button", { type: "button", class: "button compact", on: { click: again } }, icon("refresh"), "Refresh");
  if (!lines.length) return section(title, { side: refresh }, empty("Nothing was done yet", "Every use of a credential leaves a record here.", { command: "doorward evidence list" }));
  const now = Date.now();
  // Where more was done than is read here, the picture begins with the oldest line that was read.
  const from = evidence.next ? Date.parse(evidence.items.at(-1).time) : now - 24 * HOUR;
  const bins = binned(lines, { from, to: now, bins: 24, key: sort });
  const row = (line) =>
    h("li", null, h("div", { class: "grow" }, deed(line), h("p", { class: "muted small" }, line.principal ?? "nobody proven", " · ", moment(line.time))), badge(line.result));
  return section(
    title,
    { side: refresh },
    h("div", { class: "panel" }, timeline("Calls by what came of them", SERIES, bins)),
    h("ul", { class: "panel panel-tight list" }, lines.slice(0, 6).map(row), h("li", null, link("/evidence", null, "All evidence"))),
  );
}

function pictures(metrics) {
  const families = metrics?.families ?? [];
  const calls = by(families, /^doorward_calls(_total)?$/, "integration");
  const slow = percentiles(families);
  const refusals = by(families, /^doorward_refusals(_total)?$/, "code");
  if (!calls.length && !slow.length && !refusals.length) return null;
  const panel = (title, ...inside) => h("div", { class: "panel" }, h("h3", null, title), inside);
  return section(
    "Since the broker started",
    {},
    h(
      "div",
      { class: "columns" },
      calls.length > 0 && panel("Calls by integration", bars("Calls by integration", calls)),
      refusals.length > 0 && panel("Refusals by reason", bars("Refusals by reason", refusals, { kind: "warn" })),
      slow.length > 0 && panel("How long calls take", bars("How long calls take", slow, { said: (seconds) => duration(seconds * 1e6) })),
    ),
  );
}

/** Counters of families with such a name, summed by one label. */
function by(families, name, label) {
  const sums = new Map();
  for (const family of families.filter((one) => name.test(one.name))) {
    for (const { labels, value } of family.samples) {
      const key = labels?.[label];
      if (key && value > 0) sums.set(key, (sums.get(key) ?? 0) + value);
    }
  }
  return [...sums].map(([key, value]) => [shortened(key, 14), value]);
}

/** The half, nine tenths and 99 hundredths of the first histogram, read off its buckets. */
function percentiles(families) {
  const family = families.find((one) => one.kind === "histogram" && /call_seconds/.test(one.name));
  if (!family) return [];
  const sums = new Map();
  for (const { name, labels, value } of family.samples) {
    if (name.endsWith("_bucket") && labels?.le) sums.set(labels.le, (sums.get(labels.le) ?? 0) + value);
  }
  const steps = [...sums].map(([le, value]) => [le === "+Inf" ? Infinity : Number(le), value]).sort((a, b) => a[0] - b[0]);
  const all = steps.at(-1)?.[1] ?? 0;
  if (!all) return [];
  const reached = (share) => steps.find(([, value]) => value >= all * share)?.[0];
  const finite = steps.filter(([le]) => le !== Infinity).at(-1)?.[0] ?? 0;
  return [["99 of 100 within", 0.99], ["9 of 10 within", 0.9], ["half within", 0.5]].map(([title, share]) => [title, Math.min(reached(share), finite)]);
}
