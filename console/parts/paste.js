// What people paste, made into what they meant; and whether it looks like a credential of its provider.
//
// Nothing here is kept: values come in and go out, and what is said about one never repeats it.

/** A pasted key without what came with it: spaces, line ends, quotes, `NAME=`, `export`, `Bearer`. Says what was taken off. */
export function cleaned(text) {
  const taken = [];
  let value = text;
  const step = (name, next) => {
    if (next === value) return;
    value = next;
    if (!taken.includes(name)) taken.push(name);
  };
  step("characters that can't be seen", value.replace(/[\u200b-\u200f\u2028-\u202e\u2060\ufeff]/g, ""));
  step("spaces around it", value.trim());
  step("the name before it", value.replace(NAME, ""));
  step("the word before it", value.replace(/^Bearer\s+/i, ""));
  step("quotes", value.replace(/^(["'`])([\s\S]*)\1[;,]?$/, "$2").replace(/^[“”„‘’]([\s\S]*)[“”‘’]$/, "$1"));
  step("line ends and spaces in it", value.replace(/\s+/g, ""));
  return { value, taken };
}

/** `NAME=`, `export name_of=`, `Name: `: a name in capitals or with `_`, and no sign of base 64 behind it. */
const NAME = /^(?:export\s+|set\s+|\$env:)?(?:[A-Z][A-Z0-9_]{2,63}|[A-Za-z][A-Za-z0-9]{0,31}_[A-Za-z0-9_]{1,63})\s*(?:=|:\s)\s*(?=[^\s=])/;

/** The same for what has lines, such as a private key: escaped line ends become real ones. */
export function cleanedLines(text) {
  const taken = [];
  let value = text.replace(/\ufeff/g, "").replace(/\r\n?/g, "\n").trim();
  const bare = value.replace(/^(["'])([\s\S]*)\1[;,]?$/, "$2");
  if (bare !== value) taken.push("quotes");
  value = bare;
  if (!value.includes("\n") && value.includes("\\n")) {
    value = value.replaceAll("\\n", "\n").trim();
    taken.push("line ends that were written as \\n");
  }
  return { value, taken };
}

/** What is wrong with a value of this field, or null. */
export function complaint(field, value) {
  if (!value) return field.required ? `${field.label} is needed.` : null;
  const starts = field.prefixes ?? [];
  if (starts.length && !starts.some((start) => value.startsWith(start))) return `It begins with ${either(starts)}.`;
  if (field.min && value.length < field.min) return `It has at least ${field.min} characters; this has ${value.length}.`;
  if (field.max && value.length > field.max) return `It has at most ${field.max} characters; this has ${value.length}.`;
  if (field.pattern && !matches(field.pattern, value)) return field.example ? `It looks like ${field.example}.` : "It does not look like one.";
  return null;
}

function either(words) {
  return words.map((word) => `“${word}”`).join(" or ");
}

function matches(pattern, value) {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    // A pattern that this browser can't read checks nothing here; Doorward checks it in any case.
    return true;
  }
}

/** A dropped or pasted document: the object, or what is wrong with it. `bounds` are those of the provider. */
export function readDocument(text, { form, bounds, kind }) {
  const size = new TextEncoder().encode(text).length;
  if (bounds?.max && size > bounds.max) return { wrong: `The file has ${size} bytes; at most ${bounds.max} are taken.` };
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { wrong: `This is not valid JSON${where(error, text)}. Take the whole file, from the first brace to the last.` };
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) return { wrong: "A JSON object is expected, not a list or a single value." };
  if (kind === "SERVICE_ACCOUNT_JSON" && value.type !== "service_account") {
    return { wrong: `This is a JSON file of the type “${value.type ?? "none"}”; a service account's key has the type “service_account”.` };
  }
  const missing = (form?.fields ?? []).filter((field) => field.required && field.name !== "credential" && !value[field.name]);
  if (missing.length) return { wrong: `The file has no ${missing.map((field) => `“${field.name}”`).join(", ")}.` };
  return { value };
}

function where(error, text) {
  const at = /position (\d+)/.exec(error.message)?.[1];
  return at === undefined ? "" : `: line ${text.slice(0, Number(at)).split("\n").length}`;
}
