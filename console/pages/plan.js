// One plan: its steps in order with what each checks, does, verifies and takes back; then yes or no to all of it, or its end.

import { get, part, send } from "../core/api.js";
import { h, link } from "../core/dom.js";
import { moment } from "../core/format.js";
import { again } from "../core/router.js";
import { session } from "../core/session.js";
import { decided, decisions, digestOf, own, soFar } from "../parts/decide.js";
import { confirm } from "../parts/dialog.js";
import { icon } from "../parts/icons.js";
import { badge, fact, head, section, sentence, skeletons } from "../parts/states.js";
import { tell } from "../parts/live.js";

export const plan = {
  title: "Plan",
  skeleton: () => skeletons("Plan"),
  load: ({ params, signal }) => get(`plans/${part(params.id)}`, null, signal),
  view(found) {
    const { state, plan: { summary, steps } } = found;
    const mine = found.by === session().principal;
    const decides = state === "proposed" && !mine;
    const actions = [["proposed", "approved", "asking", "running"].includes(state) && cancel(found), decides && buttons(found)].filter(Boolean);
    return [
      head(summary, { lead: h("span", { class: "tags" }, badge(state), badge(found.risk)), up: [["Approvals", "/approvals"]], actions }),
      found.why && h("div", { class: "banner" }, icon("alert"), h("div", null, sentence(found.why))),
      state === "proposed" && mine && own(),
      found.decided ? decided(found.decided) : state === "proposed" && soFar(found),
      h("div", { class: "split" }, section("Steps", {}, h("ol", { class: "form" }, steps.map((step, at) => one(step, at, found.progress?.[at])))), about(found)),
    ];
  },
};

function one(step, at, progress) {
  const calls = [
    ...step.preconditions.map((call) => ["Only if", call]),
    ["Does", step.act],
    ...step.verify.map((call) => ["Then holds", call]),
    ...(step.rollback ? [["Takes back by", step.rollback]] : []),
  ];
  const went = progress?.state && progress.state !== "waiting" ? badge(progress.state) : null;
  return h(
    "li",
    { class: "panel" },
    h("div", { class: "part-head" }, h("h3", null, `${at + 1}. ${step.id}`), went ?? h("span", { class: "muted small" }, String(step.stage))),
    h("dl", { class: "facts" }, calls.map(([word, call]) => fact(word, described(call)))),
    progress?.said && h("p", { class: "hint" }, progress.said),
    progress?.evidence && h("p", { class: "small" }, link(`/evidence/${part(progress.evidence)}`, null, "Evidence of this step")),
  );
}

function described(call) {
  const inputs = Object.entries(call.inputs ?? {});
  return h(
    "div",
    null,
    h("p", null, h("code", null, call.operation), " ", call.access === "write" ? badge(call.risk) : null),
    inputs.length > 0 && h("div", { class: "tags" }, inputs.map(([name, value]) => h("span", { class: "tag" }, `${name}=${value}`))),
  );
}

function about(found) {
  const { intent, trigger, context, on_failure: failure } = found.plan;
  return h(
    "aside",
    { class: "panel", "aria-label": "About this plan" },
    h("h2", null, "Who asks"),
    h(
      "dl",
      { class: "facts" },
      fact("Proposed by", h("strong", null, found.by)),
      fact("Proposed", moment(found.created)),
      fact("Ends", moment(found.expires)),
      intent && fact("Intent", intent),
      trigger && fact("Because of", typeof trigger === "string" ? trigger : JSON.stringify(trigger)),
      failure && fact("Where a step fails", String(failure).replaceAll("_", " ")),
      Object.entries(context ?? {}).map(([name, value]) => fact(name, value)),
    ),
    digestOf(found.digest),
  );
}

function buttons(found) {
  return decisions({
    path: `plans/${part(found.id)}`,
    title: "this plan",
    digest: found.digest,
    yes: [`\`${found.by}\` may run exactly these steps, once.`, "Another step, input or order is another plan, and refused.", "That you approved it stands in the evidence of each step."],
    no: [`\`${found.by}\` is told no, with your reason.`, "Another plan may be proposed."],
  });
}

function cancel(found) {
  const act = () =>
    confirm({
      title: "Cancel this plan",
      consequences: found.state === "running" ? ["It ends behind the step that is under way.", "What was done stays done."] : ["It is not run, and can't be approved any more."],
      verb: "Cancel the plan",
      act: () => send("POST", `plans/${part(found.id)}:cancel`, {}),
    }).then((done) => done && (tell("The plan is cancelled."), again()));
  return h("button", { type: "button", class: "button", on: { click: act } }, "Cancel the plan");
}
