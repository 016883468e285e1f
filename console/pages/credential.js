// One provider of one tenant: set its credential up, replace it, validate it, change what stands beside it, delete it.

import { get, part, send } from "../core/api.js";
import { fill, fresh, h } from "../core/dom.js";
import { moment } from "../core/format.js";
import { again, go } from "../core/router.js";
import { session } from "../core/session.js";
import { confirm, field } from "../parts/dialog.js";
import { credentialForm } from "../parts/credentialform.js";
import { icon } from "../parts/icons.js";
import { badge, fact, head, section, sentence, skeletons, wrong, wrongs } from "../parts/states.js";
import { tell } from "../parts/live.js";
import { validateButton } from "./tenant.js";

export const credential = {
  title: ({ provider }) => provider,
  skeleton: () => skeletons("Integration"),
  async load({ params, signal }) {
    const [provider, kept] = await Promise.all([
      get(`providers/${part(params.provider)}`, null, signal),
      get(`tenants/${part(params.tenant)}/credentials/${part(params.provider)}`, null, signal),
    ]);
    return { provider, kept };
  },
  view({ provider, kept }, { params, ends }) {
    const name = params.tenant;
    const there = kept.status !== "NOT_CONFIGURED";
    document.title = `${provider.label} · ${name} · Doorward`;
    const up = session().house ? [["Tenants", "/tenants"], [name, `/tenants/${part(name)}`]] : [["Integrations", "/"]];
    const actions = there && [validateButton(name, provider, { whole: true }), remove(name, provider)];
    return [
      head(provider.label, { lead: h("span", null, badge(kept.status), ` ${provider.title}`), up, actions }),
      h(
        "div",
        { class: "split" },
        h("div", { class: "form" }, there && state(kept, provider), setup(name, provider, { there, ends }), there && beside(name, provider, kept)),
        help(provider),
      ),
    ];
  },
};

/** What a set-up came to that the page of its provider is still to say. */
let outcome = null;

function state(kept, provider) {
  const entries = Object.entries(kept.metadata ?? {}).filter(([, value]) => value !== null && value !== "");
  return section(
    "In use",
    {},
    h(
      "div",
      { class: "panel" },
      kept.error && h("div", { class: kept.status === "PENDING" ? "banner" : "banner banner-bad" }, icon("alert"), h("div", null, sentence(kept.error))),
      h(
        "dl",
        { class: "facts" },
        fact("Name", kept.name),
        fact("Last validated", moment(kept.validated)),
        fact("Set up", moment(kept.created)),
        entries.map(([key, value]) => fact(key.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value))),
      ),
    ),
  );
}

/** The form; what came of it is said in its place, and stays until somebody goes on. */
function setup(name, provider, { there, ends }) {
  const form = credentialForm(provider);
  const box = wrongs();
  const place = `${name}/${provider.name}`;
  const said = h("div", { role: "status" }, outcome?.at === place && outcome.node);
  outcome = null;
  const label = field("name", ["Name", h("span", { class: "muted" }, " (optional)")], { maxlength: 200, autocomplete: "off", placeholder: provider.title });
  const skip = h("input", { type: "checkbox", id: fresh("skip") });
  const word = there ? `Replace the credential` : `Connect ${provider.label}`;
  const button = h("button", { type: "submit", class: "button primary" }, word);
  const submit = async (event) => {
    event.preventDefault();
    wrong(box, null);
    fill(said);
    const taken = form.take();
    if (!taken) return;
    const body = { ...taken, name: label.input.value.trim() || undefined, skip_validation: skip.checked || undefined };
    // Emptied before the answer is there: whatever comes, the page holds it no longer.
    form.clear();
    busy(button, skip.checked ? "Storing…" : `Asking ${provider.label}…`);
    try {
      const answer = await send("PUT", `tenants/${part(name)}/credentials/${part(provider.name)}`, body);
      body.credential = null;
      if (answer.valid || (answer.status === "PENDING" && (skip.checked || !provider.validated))) {
        tell(answer.valid ? `${provider.label} takes the credential.` : `The ${provider.label} credential is stored, and pending.`);
        again();
      } else if (answer.status === "FAILED") {
        fill(said, refused(answer, provider, there));
        form.focus();
      } else {
        // Something was kept, so the page says what there is now, and this beside it.
        outcome = { at: place, node: refused(answer, provider, there) };
        again();
      }
    } catch (problem) {
      wrong(box, problem);
      form.focus();
    } finally {
      taken.credential = null;
      body.credential = null;
      idle(button, word);
    }
  };
  ends(form.clear);
  return section(
    there ? "Replace it" : "Set it up",
    { note: there ? "The one in use stays until the provider has taken the new one." : null },
    h(
      "form",
      { class: "panel form", autocomplete: "off", on: { submit } },
      form.element,
      label.label,
      h("label", { class: "check", for: skip.id }, skip, h("span", null, `Store it without asking ${provider.label}`, h("span", { class: "muted" }, ": it stays pending until it is validated"))),
      box,
      said,
      h("div", { class: "dialog-foot" }, button),
    ),
  );
}

function busy(button, text) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  button.textContent = text;
}

function idle(button, text) {
  button.disabled = false;
  button.removeAttribute("aria-busy");
  button.textContent = text;
}

function refused(answer, provider, there) {
  const waits = answer.status === "PENDING";
  const kind = waits ? "banner" : "banner banner-bad";
  const why = answer.error ?? answer.message;
  const next = waits
    ? "It is kept, and tried again by “Validate”."
    : answer.status === "FAILED"
      ? "Nothing was kept."
      : there
        ? "The credential that was in use before stays in use."
        : "It is kept as invalid until another one comes.";
  return h("div", { class: kind }, icon(waits ? "wait" : "alert"), h("div", null, h("p", null, waits ? `${provider.label} did not say: ${why}` : `${provider.label} does not take it: ${why}`), h("p", null, next)));
}

/** What stands beside a credential and is no secret. */
function beside(name, provider, kept) {
  if (!provider.metadata?.length) return null;
  const box = wrongs();
  const fields = provider.metadata
    .filter((one) => typeof (kept.metadata?.[one.name] ?? "") === "string")
    .map((one) => {
      const made = field(one.name, one.name.replaceAll("_", " "), { maxlength: one.max, pattern: one.pattern ?? null, required: one.required, autocomplete: "off", value: kept.metadata?.[one.name] ?? "" });
      return { ...made, name: one.name };
    });
  const title = field("title", "name of the credential", { maxlength: 200, minlength: 3, autocomplete: "off", value: kept.name ?? "" });
  const button = h("button", { type: "submit", class: "button" }, "Save");
  const submit = async (event) => {
    event.preventDefault();
    const metadata = Object.fromEntries(fields.map(({ name: key, input }) => [key, input.value.trim()]).filter(([, value]) => value));
    button.disabled = true;
    try {
      await send("PATCH", `tenants/${part(name)}/credentials/${part(provider.name)}`, { name: title.input.value.trim() || undefined, metadata });
      tell("Saved.");
      again();
    } catch (problem) {
      wrong(box, problem);
    } finally {
      button.disabled = false;
    }
  };
  return h(
    "details",
    { class: "panel" },
    h("summary", null, "Name and notes"),
    h("form", { class: "form", autocomplete: "off", on: { submit } }, h("p", { class: "hint" }, "Seen by everybody who may see the state of this credential. No secret belongs here."), h("div", { class: "pair" }, title.label, fields.map((one) => one.label)), box, h("div", { class: "dialog-foot" }, button)),
  );
}

function help(provider) {
  const steps = [
    provider.help && h("p", null, h("a", { class: "button block", href: provider.help, target: "_blank", rel: "noopener noreferrer" }, icon("out"), `Make one at ${provider.label}`)),
    h("p", { class: "small muted" }, provider.validated ? `It is tried once at ${provider.label} before it is used. That call is permitted and recorded like any other.` : `This version checks its form, keeps it, and does not ask ${provider.label}.`),
    h("p", { class: "small muted" }, "It is sealed with the tenant's own key. No page, no answer and no record of evidence ever holds it."),
  ];
  return h("aside", { class: "panel", "aria-label": "About this credential" }, h("h2", null, "Where it comes from"), steps);
}

function remove(name, provider) {
  const act = () =>
    confirm({
      title: `Delete the ${provider.label} credential`,
      consequences: [
        `Everything of ${name} that calls ${provider.label} stops working at once.`,
        "The sealed bytes are removed, not hidden: it can't be had back from here.",
        `At ${provider.label} the key still works. Revoke it there, too, if somebody may have seen it.`,
        "The evidence of its use stays.",
      ],
      word: provider.provider,
      verb: "Delete it",
      act: () => send("DELETE", `tenants/${part(name)}/credentials/${part(provider.name)}`),
    }).then((done) => done && (tell(`The ${provider.label} credential is deleted.`), go(`/tenants/${part(name)}`)));
  return h("button", { type: "button", class: "button danger", on: { click: act } }, "Delete");
}
