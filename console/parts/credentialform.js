// The form for one provider's credential, made from what the API says of the provider: its forms, fields and bounds.
//
// What is typed stays in the fields until it is sent, then they are emptied. A dropped file is held by this form alone; of its
// contents the page shows what names it, never what proves it.

import { append, fill, fresh, h } from "../core/dom.js";
import { bytes } from "../core/format.js";
import { cleaned, cleanedLines, complaint, readDocument } from "./paste.js";
import { icon } from "./icons.js";

/** Builds the form; `take()` gives `{credential}` or null where something is wrong, and `clear()` forgets all of it. */
export function credentialForm(provider) {
  const box = h("div", { class: "form" });
  let current = null;
  const choose = (form) => {
    current?.clear();
    current = provider.file ? fileForm(provider, form) : fieldsForm(provider, form);
    fill(slot, current.element);
  };
  const slot = h("div");
  append(box, [provider.forms.length > 1 && choices(provider, choose), slot]);
  choose(provider.forms[0]);
  return { element: box, take: () => current.take(), clear: () => current.clear(), focus: () => current.focus() };
}

function choices(provider, choose) {
  const name = fresh("form");
  const one = (form, at) =>
    h("label", null, h("input", { type: "radio", name, checked: at === 0, on: { change: () => choose(form) } }), form.title);
  return h("fieldset", null, h("legend", null, "Kind of credential"), h("div", { class: "choice" }, provider.forms.map(one)));
}

/** Fields that are typed or pasted. */
function fieldsForm(provider, form) {
  const fields = form.fields.map((field) => oneField({ ...field, ...bounded(field, provider) }));
  const whole = form.fields.length > 1;
  const element = h("div", { class: "form" }, fields.map((field) => field.element), whole && h("p", { class: "hint" }, "A JSON document with these members, pasted into the first field, fills all of them."));
  if (whole) spread(fields);
  return {
    element,
    take() {
      const wrong = fields.filter((field) => !field.check());
      if (wrong.length) {
        wrong[0].focus();
        return null;
      }
      if (form.fields.length === 1 && form.fields[0].name === "credential") return { credential: fields[0].value() };
      const filled = fields.filter((field) => field.value());
      return { credential: Object.fromEntries(filled.map((field) => [field.name, field.value()])) };
    },
    clear: () => fields.forEach((field) => field.clear()),
    focus: () => fields[0].focus(),
  };
}

function bounded(field, provider) {
  const only = provider.forms.length === 1 && provider.forms[0].fields.length === 1;
  return only ? { min: field.min ?? provider.bounds?.min, max: field.max ?? provider.bounds?.max } : {};
}

function oneField(field) {
  const [id, note] = [fresh("value"), fresh("note")];
  const long = field.kind === "multiline" || field.kind === "json";
  const hides = field.kind !== "text";
  const props = {
    id,
    class: `${long ? "area" : "input"}${hides ? " masked" : ""}`,
    autocomplete: "off",
    autocapitalize: "off",
    autocorrect: "off",
    spellcheck: "false",
    "data-secret": hides,
    "data-1p-ignore": true,
    "data-lpignore": "true",
    "aria-describedby": note,
    "aria-required": field.required ? "true" : null,
    placeholder: field.prefixes?.length ? `${field.prefixes[0]}…` : null,
  };
  const input = long ? h("textarea", { ...props, rows: 5 }) : h("input", { ...props, type: "text" });
  const said = h("p", { class: "hint", id: note, "aria-live": "polite" }, usual(field));
  const clean = long ? cleanedLines : cleaned;
  let off = [];
  const say = (kind, text) => {
    said.className = `hint${kind ? ` is-${kind}` : ""}`;
    said.textContent = text;
  };
  const check = (late) => {
    const value = field.kind === "text" ? input.value.trim() : clean(input.value).value;
    const problem = complaint(field, value);
    // While somebody types, "too short" would be true all the time: it is said when they have gone on.
    const early = !late && problem && value && (value.length < (field.min ?? 0) || field.prefixes?.some((start) => start.startsWith(value)));
    input.setAttribute("aria-invalid", String(Boolean(problem && (late || (value && !early)))));
    if (problem && (late || (value && !early))) say("bad", problem);
    else if (value && !problem) say("good", `Looks right${off.length ? `; taken off: ${off.join(", ")}` : ""}.`);
    else say("", usual(field));
    return !problem;
  };
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text");
    if (!text || field.kind === "text" || input.value !== "") return;
    event.preventDefault();
    const { value, taken } = clean(text);
    off = taken;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  input.addEventListener("input", () => (input.value === "" && (off = []), check(false)));
  input.addEventListener("change", () => input.value && check(true));
  return {
    name: field.name,
    input,
    element: h("div", { class: "field" }, h("label", { for: id }, field.label, !field.required && h("span", { class: "muted" }, " (optional)")), hides && !long ? withShow(input) : input, said),
    value: () => (field.kind === "text" ? input.value.trim() : clean(input.value).value),
    check: () => check(true),
    clear() {
      input.value = "";
      off = [];
      input.dispatchEvent(new Event("cleared"));
      input.setAttribute("aria-invalid", "false");
      say("", usual(field));
    },
    focus: () => input.focus(),
  };
}

function usual(field) {
  if (field.prefixes?.length) return `Begins with ${field.prefixes.map((one) => `“${one}”`).join(" or ")}. Spaces, quotes and “NAME=” around it are taken off.`;
  return field.hint ?? (field.kind === "text" ? "" : "Hidden as you type. Spaces and quotes around it are taken off.");
}

/** A field whose text can be looked at by a button. It is hidden again when the field is emptied. */
function withShow(input) {
  const set = (on) => {
    input.classList.toggle("masked", !on);
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Hide" : "Show";
  };
  const button = h("button", { type: "button", class: "button", "aria-pressed": "false", "aria-label": "Show what was typed", on: { click: () => set(input.classList.contains("masked")) } }, "Show");
  input.addEventListener("cleared", () => set(false));
  return h("div", { class: "with-button" }, input, button);
}

/** A whole document, pasted into the first field, is spread over the fields. */
function spread(fields) {
  fields[0].input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!text.trim().startsWith("{")) return;
    const { value } = readDocument(text, {});
    if (!value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    for (const field of fields) {
      if (typeof value[field.name] !== "string") continue;
      field.input.value = value[field.name];
      field.check();
    }
  }, { capture: true });
}

/** A credential that is a file: dropped, chosen or pasted. */
function fileForm(provider, form) {
  let kept = null;
  const [id, note] = [fresh("file"), fresh("note")];
  const said = h("div", { id: note, role: "status" });
  const pick = h("input", { id, type: "file", accept: ".json,application/json", class: "unseen", tabindex: "-1", "aria-hidden": "true" });
  const open = h("button", { type: "button", class: "button", "aria-describedby": note, on: { click: () => pick.click() } }, "Choose the JSON file");
  const pasted = h("textarea", { class: "area masked", rows: 3, "data-secret": true, autocomplete: "off", spellcheck: "false", "aria-label": "Paste the contents of the file", placeholder: "or paste its contents" });
  const drop = h("div", { class: "drop" }, icon("file"), h("p", null, "Drop the key file here"), open, pick);
  const take = (text, name) => {
    const { value, wrong } = readDocument(text, { form, bounds: provider.bounds, kind: provider.kind });
    kept = value ?? null;
    pasted.value = "";
    fill(said, wrong ? h("p", { class: "hint is-bad" }, wrong) : summary(value, name, text));
  };
  const read = async (file) => {
    if (!file) return;
    if (file.size > (provider.bounds?.max ?? 65_536)) {
      kept = null;
      fill(said, h("p", { class: "hint is-bad" }, `“${file.name}” has ${bytes(file.size)}; at most ${bytes(provider.bounds?.max ?? 65_536)} are taken. Is it the key file?`));
      return;
    }
    take(await file.text(), file.name);
    pick.value = "";
  };
  pick.addEventListener("change", () => read(pick.files[0]));
  pasted.addEventListener("input", () => pasted.value.trim() && take(pasted.value, "pasted"));
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => (event.preventDefault(), drop.classList.add("over")));
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => (event.preventDefault(), read(event.dataTransfer.files[0])));
  const clear = () => {
    kept = null;
    pasted.value = "";
    pick.value = "";
    fill(said);
  };
  const missing = () => {
    fill(said, h("p", { class: "hint is-bad" }, "Choose, drop or paste the key file first."));
    open.focus();
    return null;
  };
  return {
    element: h("div", { class: "form" }, drop, pasted, said),
    take: () => (kept ? { credential: kept } : missing()),
    clear,
    focus: () => open.focus(),
  };
}

/** What names a document; never a member that could be the secret. */
const NAMES = ["type", "project_id", "client_email", "private_key_id", "tenant_id", "client_id", "subscription_id", "role_arn", "region"];

function summary(value, name, text) {
  const facts = NAMES.filter((key) => typeof value[key] === "string");
  const size = bytes(new TextEncoder().encode(text).length);
  return h(
    "div",
    { class: "banner banner-good" },
    icon("check"),
    h("div", null, h("p", null, `${name === "pasted" ? "Pasted" : `“${name}”`}, ${size}, looks right.`), h("dl", { class: "facts small" }, facts.map((key) => h("div", null, h("dt", null, key), h("dd", { class: "mono" }, value[key]))))),
  );
}
