// What people paste, and what the console makes of it.

import { cleaned, cleanedLines, complaint, readDocument } from "../../../console/parts/paste.js";

const KEY = "sk-proj-0123456789abcdef";
const PASTED = [
  KEY,
  `  ${KEY}\n`,
  `"${KEY}"`,
  `'${KEY}',`,
  `\u201c${KEY}\u201d`,
  `OPENAI_API_KEY=${KEY}`,
  `export OPENAI_API_KEY="${KEY}"`,
  `$env:OPENAI_API_KEY = "${KEY}"`,
  `OPENAI_API_KEY: ${KEY}`,
  `Bearer ${KEY}`,
  `\ufeff${KEY}\u200b`,
  `${KEY.slice(0, 12)}\n${KEY.slice(12)}`,
  `${KEY}\r\n`,
];
/** What looks like something to take off, and is part of the key. */
const KEPT = ["ABCDEF==", "abcdefgh=", "AIzaSyA=b", "abc=def==", "a:b:c", "sk-ant-api03-x_y=AA"];

const FIELD = { label: "API key", required: true, prefixes: ["sk-", "keisk-"], min: 10 };
const SERVICE = { form: { fields: ["project_id", "private_key", "client_email"].map((name) => ({ name, required: true })) }, bounds: { max: 500 }, kind: "SERVICE_ACCOUNT_JSON" };

/** What is wrong, one line each. */
export function problems() {
  const wrong = [];
  const same = (what, found, wanted) => {
    if (found !== wanted) wrong.push(`paste: ${what}: ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
  };
  for (const text of PASTED) same(JSON.stringify(text), cleaned(text).value, KEY);
  same("what was taken off is said", cleaned(`export A_KEY="${KEY}"\n`).taken.join(), "spaces around it,the name before it,quotes");
  for (const text of KEPT) same(text, cleaned(text).value, text);
  same("a fingerprint", cleaned("12:34:ab:cd").value, "12:34:ab:cd");
  same("a private key", cleanedLines('"-----BEGIN KEY-----\\nAB\\n-----END KEY-----\\n"').value, "-----BEGIN KEY-----\nAB\n-----END KEY-----");
  same("lines of Windows", cleanedLines("a\r\nb\r\n").value, "a\nb");
  same("nothing", complaint(FIELD, ""), "API key is needed.");
  same("another prefix", complaint(FIELD, "pk-0123456789"), "It begins with “sk-” or “keisk-”.");
  same("too short", complaint(FIELD, "sk-1"), "It has at least 10 characters; this has 4.");
  same("a good one", complaint(FIELD, KEY), null);
  same("a pattern", complaint({ label: "x", pattern: "^a+$" }, "b"), "It does not look like one.");
  same("a pattern that can't be read", complaint({ label: "x", pattern: "(" }, "b"), null);
  const good = { type: "service_account", project_id: "p", private_key: "k", client_email: "e" };
  same("a document", readDocument(JSON.stringify(good), SERVICE).wrong, undefined);
  const said = (text, words) => {
    const found = readDocument(text, SERVICE).wrong ?? "nothing";
    if (!found.includes(words)) wrong.push(`paste: ${found} does not say ${words}`);
  };
  said("{", "not valid JSON");
  said("[]", "A JSON object");
  said('{"type":"authorized_user"}', "authorized_user");
  said('{"type":"service_account","project_id":"p"}', "“private_key”, “client_email”");
  said("x".repeat(501), "at most 500");
  return wrong;
}
