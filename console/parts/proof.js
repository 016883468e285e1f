// Computes whether records of the evidence are in a signed tree: RFC 9162, section 2.1.3.2, and a C2SP signed note.
//
// The bytes come from the server; that they are in the tree, and that the key signed the tree, is computed here. Whether the
// key is the right one, only somebody who knows it from elsewhere can say.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** `{state, title, steps}` for what `GET /v1/evidence/{id}` gives; `key` is the public key in hexadecimal. */
export async function prove(shown, key) {
  const { checkpoint, records } = shown;
  if (!checkpoint?.head) {
    return { state: "info", title: "Not covered yet", steps: ["No signed checkpoint covers this record so far. One is signed at least each second under load; load the page again."] };
  }
  const covered = records.filter((record) => record.path);
  for (const record of covered) {
    if (!(await included(record, checkpoint.head))) return bad(`A record is not in the tree of ${checkpoint.head.tenant}.`);
  }
  const statement = readNote(checkpoint.note);
  const head = await sha256(0, encodeHead(checkpoint.head));
  if (!(await leadsTo(head, [checkpoint.place, statement.heads], checkpoint.path.map(unbase64), statement.root))) {
    return bad("The head of this tenant is not among those that were signed.");
  }
  const signed = key ? await verified(statement, key) : null;
  if (signed === false) return bad("The signature of the checkpoint does not fit the key of this house.");
  return said({ records, covered, checkpoint, statement, signed });
}

function said({ records, covered, checkpoint, statement, signed }) {
  const later = records.length - covered.length;
  const steps = [
    covered.length ? `${covered.length === 1 ? "The record hashes" : `${covered.length} records hash`} into the tree of ${checkpoint.head.tenant} with ${checkpoint.head.size} records.` : null,
    `The root of that tree is in checkpoint ${statement.number}.`,
    signed === null ? "This browser can't check Ed25519 signatures; `doorward evidence verify` does.".replaceAll("`", "") : `The checkpoint is signed by ${statement.origin}.`,
    later ? `${later === 1 ? "One record is" : `${later} records are`} newer than the checkpoint, and chained but not signed yet.` : null,
  ].filter(Boolean);
  if (!covered.length) return { state: "info", title: "Not covered yet", steps };
  return { state: signed === null ? "info" : "good", title: signed === null ? "In the tree" : "Proven", steps };
}

function bad(step) {
  return { state: "bad", title: "This does not prove", steps: [step, "Keep the home as it is and verify an export on another machine."] };
}

async function included({ leaf, path }, head) {
  const bytes = unbase64(leaf);
  const { tenant, seq } = readLeaf(bytes);
  return tenant === head.tenant && leadsTo(await sha256(0, bytes), [seq, head.size], path.map(unbase64), unbase64(head.root));
}

/** Whether a hash at this place of a tree of this size leads along the path to the root. */
async function leadsTo(hash, [index, size], path, root) {
  if (index >= size) return false;
  let [at, last, reached] = [index, size - 1, hash];
  for (const node of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      reached = await sha256(1, node, reached);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      reached = await sha256(1, reached, node);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && same(reached, root);
}

/** Tenant and number of a record: version, kind, name, eight bytes. */
function readLeaf(bytes) {
  const length = bytes[2];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { tenant: decoder.decode(bytes.subarray(3, 3 + length)), seq: Number(view.getBigUint64(3 + length)) };
}

function encodeHead({ tenant, nth, size, root, last }) {
  const name = encoder.encode(tenant);
  const numbers = new DataView(new ArrayBuffer(16));
  numbers.setBigUint64(0, BigInt(nth));
  numbers.setBigUint64(8, BigInt(size));
  return join([Uint8Array.of(name.length), name, new Uint8Array(numbers.buffer), unbase64(root), unbase64(last)]);
}

/** The text that was signed, what it says, and the signature behind the hash of the key. */
function readNote(note) {
  const end = note.indexOf("\n\n");
  const text = note.slice(0, end + 1);
  const [origin, heads, root, number] = text.split("\n");
  const line = note.slice(end + 2).split("\n").find((one) => one.startsWith("— "));
  const signature = unbase64(line.split(" ")[2]).subarray(4);
  return { text, origin, heads: Number(heads), root: unbase64(root), number: number.replace("number ", ""), signature };
}

async function verified({ text, signature }, hex) {
  const bytes = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  let key;
  try {
    key = await crypto.subtle.importKey("raw", bytes, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify("Ed25519", key, signature, encoder.encode(text));
}

async function sha256(first, ...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join([Uint8Array.of(first), ...parts])));
}

function join(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function unbase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function half(number) {
  return Math.floor(number / 2);
}

function same(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
