// Approvals: what waits for a second person, and what became of the others.

import { get, part } from "../core/api.js";
import { fresh, h, link } from "../core/dom.js";
import { counted, moment } from "../core/format.js";
import { again, note } from "../core/router.js";
import { badge, empty, head, section, skeletons } from "../parts/states.js";
import { paged, table } from "../parts/lines.js";
import { icon } from "../parts/icons.js";

const STATES = [["pending", "Waiting"], ["approved", "Approved"], ["denied", "Denied"], ["used", "Used"], ["expired", "Expired"], ["all", "All"]];

export const approvals = {
  title: "Approvals",
  skeleton: () => skeletons("Approvals"),
  async load({ query, signal }) {
    const state = STATES.some(([word]) => word === query.state) ? query.state : "pending";
    const [page, plans] = await Promise.all([get("approvals", { state, limit: 100 }, signal), get("plans", { limit: 100 }, signal).catch(() => null)]);
    return { state, page, plans };
  },
  view({ state, page, plans }) {
    const lead = "Each answer is for one exact call, is used once, and is never given by whoever asked.";
    return [head("Approvals", { lead }), chooser(state), list(state, page), someOf(plans, state)];
  },
};

function chooser(state) {
  const name = fresh("state");
  const choose = (word) => () => {
    note({ state: word === "pending" ? "" : word });
    again();
  };
  const one = ([word, title]) => h("label", null, h("input", { type: "radio", name, checked: word === state, on: { change: choose(word) } }), title);
  return h("fieldset", null, h("legend", { class: "unseen" }, "Which approvals"), h("div", { class: "choice choice-wrap" }, STATES.map(one)));
}

function list(state, page) {
  if (!page.items.length) {
    return state === "pending"
      ? empty("Nothing waits", "A call waits here where a policy has `@approval(\"required\")`, or a capability was made with an approval.".replaceAll("`", ""), { command: "doorward capability request --for ci-bot --integrations github --approval writes" })
      : empty("None", "No approval is in this state.");
  }
  const columns = [
    ["What", (one) => h("div", null, link(`/approvals/${part(one.id)}`, { class: "mono" }, one.operation), one.resource && one.resource !== "*" && h("p", { class: "muted small" }, one.resource))],
    ["Asked by", (one) => one.for],
    ["State", (one) => badge(one.state)],
    ["Risk", (one) => h("div", { class: "tags" }, badge(one.risk), one.break_glass && h("span", { class: "badge badge-bad" }, icon("glass"), "Glass broken"))],
    ["Asked", (one) => moment(one.asked)],
    [state === "pending" ? "Ends" : "Decided by", (one) => (state === "pending" ? moment(one.expires) : (one.decided_by ?? "–"))],
  ];
  return h("div", { class: "form" }, h("p", { class: "muted small" }, counted(page.total ?? page.items.length, "approval")), paged("Approvals", columns, page, (cursor) => get("approvals", { state, cursor, limit: 100 })));
}

/** What a plan is called that is so, beside calls that are. */
const PLANS = {
  pending: ["proposed"],
  approved: ["approved", "running", "asking"],
  denied: ["denied", "cancelled"],
  used: ["succeeded", "failed", "rolled_back"],
  expired: ["expired"],
};

/** Plans: several calls that are decided as one. */
function someOf(plans, state) {
  const open = (plans?.items ?? []).filter((one) => state === "all" || PLANS[state].includes(one.state));
  if (!open.length) return null;
  const { element } = table(
    state === "pending" ? "Plans that wait" : "Plans",
    [
      ["Plan", (one) => link(`/plans/${part(one.id)}`, null, one.summary)],
      ["Proposed by", (one) => one.by],
      ["State", (one) => badge(one.state)],
      ["Risk", (one) => badge(one.risk)],
      ["Proposed", (one) => moment(one.created, "–")],
    ],
    open,
  );
  return section("Plans", { note: "A plan is several calls, decided as one." }, h("div", { class: "panel panel-tight" }, element));
}
