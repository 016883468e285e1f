// What stands where there is nothing yet, nothing at all, or something wrong.

import { fill, fresh, h, link } from "../core/dom.js";
import { announce, tell } from "./live.js";
import { icon } from "./icons.js";

/** The frame of a page that is being read. */
export function skeletons(title, shape = "rows") {
  const bars = Array.from({ length: shape === "cards" ? 6 : 5 }, () => h("div", { class: `ghost ghost-${shape}` }));
  return [
    h("h1", { tabindex: "-1" }, title),
    h("div", { class: shape === "cards" ? "cards" : "ghosts", "aria-hidden": "true" }, bars),
    h("p", { class: "unseen" }, "Loading"),
  ];
}

/** What went wrong, what helps, and a way to try again. */
export function failed(problem, retry) {
  const details = [problem.code && ["Code", problem.code], problem.evidence && ["Evidence", problem.evidence]].filter(Boolean);
  return h(
    "div",
    { class: "panel failed", role: "alert" },
    h("h2", null, icon("alert"), headline(problem)),
    h("p", null, sentence(problem.message)),
    problem.hint && h("p", { class: "hint" }, hinted(problem.hint)),
    details.length > 0 && h("dl", { class: "facts" }, details.map(([name, value]) => fact(name, h("code", null, value)))),
    retry && h("p", null, h("button", { type: "button", class: "button", on: { click: retry } }, icon("refresh"), "Try again")),
  );
}

function headline(problem) {
  if (problem.status === 0) return "No answer";
  if (problem.status === 403) return "Not allowed";
  if (problem.status === 404) return "Not there";
  if (problem.status === 429) return problem.retry ? `Too many calls; again in ${problem.retry} s` : "Too many calls";
  return problem.status >= 500 ? "Doorward could not do this" : "This was refused";
}

/** An error under a form or in a dialog, which is read out at once. */
export function wrong(box, problem) {
  if (!problem) return fill(box);
  const hint = problem.hint ? h("span", { class: "hint" }, hinted(problem.hint)) : null;
  fill(box, icon("alert"), h("div", null, h("p", null, sentence(problem.message)), hint));
  return box;
}

/** The box for `wrong`. */
export function wrongs() {
  return h("div", { class: "wrong", role: "alert" });
}

/** Words between backticks as code. */
export function hinted(text) {
  return String(text).split("`").map((piece, at) => (at % 2 ? h("code", null, piece) : piece));
}

/** A refusal as a sentence: our refusals begin in lower case and have no full stop. */
export function sentence(text) {
  const value = String(text ?? "");
  const whole = value.charAt(0).toUpperCase() + value.slice(1);
  return hinted(/[.!?]$/.test(whole) ? whole : `${whole}.`);
}

/** Nothing there: why, and the next step. */
export function empty(title, text, { command, action } = {}) {
  return h(
    "div",
    { class: "panel empty" },
    h("h2", null, title),
    h("p", null, text),
    command && commandLine(command),
    action && h("p", null, action),
  );
}

/** A command to be copied. */
export function commandLine(text) {
  return h("div", { class: "command" }, h("code", { tabindex: "0" }, text), copier(text, "Copy the command"));
}

/** A button that copies what is no secret. */
export function copier(text, label = "Copy") {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      announce("Copied");
      tell("Copied.");
    } catch {
      tell("The browser does not let this page copy. Select the text and copy it by hand.", "bad");
    }
  };
  return h("button", { type: "button", class: "bare copier", "aria-label": label, title: label, on: { click: copy } }, icon("copy"));
}

/** One line of a list of facts. */
export function fact(name, ...value) {
  return h("div", null, h("dt", null, name), h("dd", null, value));
}

const KINDS = {
  VALID: ["good", "check", "Connected"],
  INVALID: ["bad", "cross", "Invalid"],
  PENDING: ["warn", "wait", "Pending"],
  EXPIRED: ["warn", "wait", "Expired"],
  FAILED: ["bad", "cross", "Failed"],
  NOT_CONFIGURED: ["quiet", "none", "Not configured"],
  VALIDATING: ["info", "refresh", "Validating…"],
  active: ["good", "check", "Active"],
  expired: ["quiet", "wait", "Expired"],
  retiring: ["info", "refresh", "Replaced"],
  forgotten: ["quiet", "none", "Forgotten"],
  revoked: ["bad", "cross", "Revoked"],
  suspended: ["warn", "wait", "Suspended"],
  erased: ["bad", "cross", "Erased"],
  pending: ["warn", "wait", "Waits"],
  proposed: ["warn", "wait", "Waits"],
  asking: ["warn", "wait", "Asks"],
  running: ["info", "refresh", "Runs"],
  cancelled: ["quiet", "cross", "Cancelled"],
  approved: ["good", "check", "Approved"],
  denied: ["bad", "cross", "Denied"],
  used: ["quiet", "check", "Used"],
  done: ["good", "check", "Done"],
  ok: ["good", "check", "Done"],
  failed: ["bad", "cross", "Failed"],
  refused: ["warn", "alert", "Refused"],
  disabled: ["bad", "cross", "Switched off"],
  waiting: ["warn", "wait", "Waits"],
  delivered: ["good", "check", "Taken"],
  dead: ["bad", "cross", "Given up"],
  unknown: ["warn", "alert", "Unknown"],
  abandoned: ["quiet", "none", "Abandoned"],
  open: ["info", "wait", "Open"],
  unsealed: ["good", "check", "Unsealed"],
  sealed: ["bad", "cross", "Sealed"],
  low: ["quiet", "none", "Low risk"],
  medium: ["info", "alert", "Medium risk"],
  high: ["bad", "alert", "High risk"],
};

/** A state with a drawing and a word: never by colour alone. */
export function badge(state, said) {
  const [kind, drawing, word] = KINDS[state] ?? ["quiet", "none", String(state ?? "–")];
  return h("span", { class: `badge badge-${kind}` }, icon(drawing), said ?? word);
}

/** The head of a page. */
export function head(title, { lead, up, actions } = {}) {
  return h(
    "header",
    { class: "head" },
    h(
      "div",
      null,
      up && h("nav", { class: "crumbs", "aria-label": "Breadcrumb" }, h("ol", null, up.map(([text, href]) => h("li", null, link(href, null, text))))),
      h("h1", { tabindex: "-1" }, title),
      lead && h("p", { class: "lead" }, lead),
    ),
    actions && h("div", { class: "actions" }, actions),
  );
}

/** A part of a page with its heading. */
export function section(title, { side, note } = {}, ...children) {
  const id = fresh("part");
  return h(
    "section",
    { class: "part", "aria-labelledby": id },
    h("div", { class: "part-head" }, h("h2", { id }, title), side),
    note && h("p", { class: "muted" }, note),
    children,
  );
}
