// One approval: exactly what will be done, by whom, under which policy; then yes or no, bound to the digest of what is shown.

import { get, part } from "../core/api.js";
import { h, link } from "../core/dom.js";
import { bytes, exact, moment } from "../core/format.js";
import { session } from "../core/session.js";
import { decided, decisions, digestOf, own, soFar } from "../parts/decide.js";
import { icon } from "../parts/icons.js";
import { badge, fact, head, section, skeletons } from "../parts/states.js";

export const approval = {
  title: "Approval",
  skeleton: () => skeletons("Approval"),
  load: ({ params, signal }) => get(`approvals/${part(params.id)}`, null, signal),
  view(found) {
    const { what, state } = found;
    const title = `${what.integration}/${what.operation}`;
    const mine = found.principal === session().principal;
    return [
      head(title, { lead: h("span", { class: "tags" }, badge(state), badge(what.risk), h("span", { class: "badge" }, icon(what.access === "write" ? "alert" : "none"), what.access === "write" ? "Write" : "Read")), up: [["Approvals", "/approvals"]], actions: state === "pending" && !mine && buttons(found, title) }),
      found.break_glass && h("div", { class: "banner banner-bad" }, icon("glass"), h("div", null, h("strong", null, "The glass was broken: "), typeof found.break_glass === "string" ? found.break_glass : "this passes limits that hold otherwise.")),
      state === "pending" && mine && own(),
      found.decided ? decided(found.decided) : soFar(found),
      h("div", { class: "split" }, h("div", { class: "form" }, deed(what), carried(what)), asking(found)),
    ];
  },
};

function deed(what) {
  const inputs = Object.entries(what.inputs ?? {});
  return section(
    "What will be done",
    {},
    h(
      "div",
      { class: "panel" },
      h(
        "dl",
        { class: "facts" },
        what.request && fact("Request", h("code", null, what.request)),
        fact("On", h("code", null, what.resource || "*")),
        inputs.map(([name, value]) => fact(name, h("code", null, typeof value === "string" ? value : JSON.stringify(value)))),
      ),
      what.headers?.length > 0 && h("details", null, h("summary", null, `Headers (${what.headers.length})`), h("dl", { class: "facts" }, what.headers.map(([name, value]) => fact(name, h("code", null, value))))),
    ),
  );
}

function carried({ body }) {
  if (!body) return null;
  const cut = body.cut ? h("p", { class: "hint is-bad" }, "Only its beginning is shown. The digest covers all of it.") : null;
  const shown = body.text ? h("pre", { class: "once", tabindex: "0", role: "region", "aria-label": "Body of the request" }, pretty(body.text)) : h("p", { class: "muted" }, "It is not text.");
  return section("Body", { side: h("p", { class: "muted small" }, bytes(body.bytes ?? 0)) }, h("div", { class: "panel" }, shown, cut, body.sha256 && h("p", { class: "muted small" }, "SHA-256 ", h("code", null, body.sha256))));
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function asking(found) {
  return h(
    "aside",
    { class: "panel", "aria-label": "Who asks" },
    h("h2", null, "Who asks"),
    h(
      "dl",
      { class: "facts" },
      fact("Principal", h("strong", null, found.principal)),
      found.subject && fact("As", found.subject),
      found.door && fact("Through", found.door),
      found.purpose && fact("Purpose", found.purpose),
      found.grant && fact("Grant", h("code", null, found.grant)),
      fact("Asked", moment(found.asked), h("span", { class: "muted small" }, ` · ${exact(found.asked)}`)),
      fact("Ends", moment(found.expires)),
      found.policies?.length > 0 && fact("Because of", h("div", { class: "tags" }, found.policies.map((id) => h("span", { class: "tag" }, String(id))))),
      found.evidence && fact("Evidence", link(`/evidence/${part(found.evidence)}`, { class: "mono" }, found.evidence)),
    ),
    digestOf(found.digest),
  );
}

function buttons(found, title) {
  return decisions({
    path: `approvals/${part(found.id)}`,
    title,
    digest: found.digest,
    yes: [(found.approvers ?? 1) - (found.agreed?.length ?? 0) > 1 ? "It is one of several answers that are needed: somebody else has to approve it as well." : `\`${found.principal}\` may do exactly this, once, within the next hour.`, "Another input, address, header or body is refused.", "That you approved it stands in the evidence of the call."],
    no: [`\`${found.principal}\` is told no, with your reason.`, "The same call may be asked for again."],
  });
}
