// One call of the evidence: its records as they were written, and the proof that they are in the signed tree, computed here.

import { get, part } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { counted, exact } from "../core/format.js";
import { icon } from "../parts/icons.js";
import { badge, commandLine, copier, fact, head, section, skeletons } from "../parts/states.js";
import { prove } from "../parts/proof.js";

export const record = {
  title: "Evidence",
  skeleton: () => skeletons("Evidence"),
  async load({ params, query, signal }) {
    const chain = query.tenant ? { tenant: query.tenant } : null;
    const [shown, status] = await Promise.all([get(`evidence/${part(params.id)}`, chain, signal), get("status", null, signal).catch(() => null)]);
    return { shown, tenant: query.tenant, key: status?.evidence?.public_key ?? null };
  },
  view({ shown, tenant, key }, { params }) {
    const first = shown.records[0]?.text ?? {};
    const last = shown.records.at(-1)?.text ?? {};
    const deed = first.integration ? `${first.integration}/${first.operation}` : (first.deed?.operation ?? first.kind ?? "Record");
    document.title = `${deed} · Evidence · Doorward`;
    const ending = last.result ?? last.outcome?.result ?? (first.kind === "refused" ? "refused" : "open");
    return [
      head(deed, { lead: h("span", { class: "tags" }, badge(ending), h("code", { class: "muted" }, params.id)), up: [["Evidence", tenant ? `/evidence?tenant=${encodeURIComponent(tenant)}` : "/evidence"]] }),
      proof(shown, key),
      section("Records", { note: "What was written, in order. A call is written twice: before a secret is lent, and before its answer is given." }, shown.records.map(one)),
      section("Elsewhere", { note: "Whoever trusts neither this page nor this machine verifies an export with the public key alone." }, commandLine(`doorward evidence export${tenant ? ` --tenant ${tenant}` : ""} --out evidence.jsonl`), commandLine("doorward evidence verify evidence.jsonl --key-file evidence.key")),
    ];
  },
};

function one({ leaf, text, path }) {
  const kind = text?.kind ?? "record";
  const facts = Object.entries(text ?? {}).filter(([name]) => name !== "kind");
  const covered = path ? badge("done", "In the signed tree") : badge("pending", "Newer than the last checkpoint");
  return h(
    "article",
    { class: "panel" },
    h("div", { class: "part-head" }, h("h3", null, kind.charAt(0).toUpperCase() + kind.slice(1)), covered),
    h("dl", { class: "facts" }, facts.map(([name, value]) => fact(name.replaceAll("_", " "), shown(name, value)))),
    h("details", null, h("summary", null, "The bytes"), h("div", { class: "with-button" }, h("code", null, leaf), copier(leaf, "Copy the bytes"))),
  );
}

function shown(name, value) {
  if (value === null) return h("span", { class: "muted" }, "–");
  if (name === "time") return exact(value);
  if (typeof value !== "object") return h("code", null, String(value));
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return value.length ? h("div", { class: "tags" }, value.map((item) => h("span", { class: "tag" }, String(item)))) : h("span", { class: "muted" }, "none");
  return h("pre", { class: "mono" }, JSON.stringify(value, null, 2));
}

/** Computed in this browser from the bytes, so that the server's word is not needed for it. */
function proof(shown, key) {
  const said = h("div", null, h("strong", null, "Proving…"));
  const drawing = h("span", null, icon("wait"));
  const box = h("div", { class: "banner banner-info", role: "status" }, drawing, said);
  prove(shown, key).then(
    ({ state, title, steps }) => {
      box.className = `banner banner-${state}`;
      fill(drawing, icon(state === "good" ? "check" : state === "info" ? "wait" : "alert"));
      fill(said, h("strong", null, title), h("ul", null, steps.map((step) => h("li", null, step))));
    },
    (error) => {
      box.className = "banner";
      fill(said, h("strong", null, "Not proven here"), h("p", null, `This browser could not compute the proof (${error.message}). `, h("code", null, "doorward evidence verify"), " does."));
    },
  );
  const note = shown.checkpoint && h("details", { class: "panel" }, h("summary", null, "The signed checkpoint"), h("pre", { class: "once", tabindex: "0", role: "region", "aria-label": "Checkpoint" }, shown.checkpoint.note));
  return section("Proof", { side: h("p", { class: "muted small" }, `${counted(shown.records.length, "record")}, computed in this browser`) }, box, note);
}
