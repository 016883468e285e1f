// Yes or no to what somebody else asked for, bound to the digest of what is in view, with a reason.

import { send } from "../core/api.js";
import { h } from "../core/dom.js";
import { moment } from "../core/format.js";
import { again } from "../core/router.js";
import { confirm } from "./dialog.js";
import { icon } from "./icons.js";
import { copier } from "./states.js";
import { tell } from "./live.js";

/** The two buttons. `path` is the resource, `yes` and `no` say what follows. */
export function decisions({ path, title, digest, yes, no }) {
  const answer = (word) => (reason) => send("POST", `${path}:${word}`, { digest, reason: reason || undefined });
  const done = (text) => (value) => value && (tell(/pending|proposed/.test(value.state) ? "Approved. Somebody else has to approve it as well." : text), again());
  const approve = () =>
    confirm({ title: `Approve ${title}`, consequences: yes, reason: { label: "Reason (kept in the evidence)" }, verb: "Approve", danger: false, act: answer("approve") }).then(done("Approved."));
  const deny = () =>
    confirm({ title: `Deny ${title}`, consequences: no, reason: { label: "Reason (told to whoever asked)" }, verb: "Deny", act: answer("deny") }).then(done("Denied."));
  return [h("button", { type: "button", class: "button danger", on: { click: deny } }, "Deny"), h("button", { type: "button", class: "button primary", on: { click: approve } }, "Approve")];
}

/** What was answered, by whom, and why. */
export function decided({ answer, by, at, reason }) {
  const yes = /approve/.test(answer);
  return h("div", { class: `banner banner-${yes ? "good" : "bad"}` }, icon(yes ? "check" : "cross"), h("div", null, h("strong", null, yes ? "Approved" : "Denied"), ` by ${by}, `, moment(at), reason ? h("p", null, `“${reason}”`) : null));
}

/** Who approved it until now, where several have to. */
export function soFar({ approvers, agreed }) {
  if (!(approvers > 1)) return null;
  const names = (agreed ?? []).map((one) => one.by).join(", ");
  return h("div", { class: "banner banner-info" }, icon("wait"), h("div", null, h("strong", null, `${agreed?.length ?? 0} of ${approvers} people approved this`), names && `: ${names}`));
}

/** That whoever asked does not decide. */
export function own() {
  return h("div", { class: "banner banner-info" }, icon("wait"), h("div", null, "You asked for this, so somebody else decides."));
}

/** What the answer counts for. */
export function digestOf(digest) {
  return [h("h3", null, "Digest"), h("p", { class: "hint" }, "Your answer counts for these bytes and no others."), h("div", { class: "with-button" }, h("code", null, digest), copier(digest, "Copy the digest"))];
}
