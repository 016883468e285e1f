/** Names and texts with one spelling each, and the order in which lists have them. */

import { isIPv4, isIPv6 } from "node:net";

/** Methods that can be forwarded, in their order. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Compares by bytes, as the broker does. JavaScript's own order is by UTF-16 units. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
const SPACE = /[\s\u0085]/;
const LABEL = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const INTEGRATION = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** A tenant's name. */
export function isLabel(text: string): boolean {
  return LABEL.test(text);
}

/** 1 to 512 bytes without control characters or outer white space. */
export function isText(text: unknown): text is string {
  if (typeof text !== "string" || text === "" || bytes(text) > 512 || CONTROL.test(text)) {
    return false;
  }
  return !SPACE.test(text.slice(0, 1)) && !SPACE.test(text.slice(-1));
}

function isIntegration(text: string): boolean {
  return INTEGRATION.test(text);
}

/** Both sides of the slash of an operation pattern. */
export function halves(pattern: string): [string, string] {
  const at = pattern.indexOf("/");
  return at < 0 ? [pattern, ""] : [pattern.slice(0, at), pattern.slice(at + 1)];
}

function isPattern(text: string): boolean {
  const [name, shape] = halves(text);
  if (!isIntegration(name) || shape === "*") {
    return isIntegration(name);
  }
  const words = shape.endsWith(".*") ? shape.slice(0, -2) : shape;
  return words.length <= 63 && words.split(".").every(isLabel);
}

function byPattern(a: string, b: string): number {
  const rank = (shape: string): number => (shape === "*" ? 0 : shape.endsWith(".*") ? 1 : 2);
  const words = (shape: string): string => (rank(shape) === 1 ? shape.slice(0, -2) : shape);
  const [[aName, aShape], [bName, bShape]] = [halves(a), halves(b)];
  return byBytes(aName, bName) || rank(aShape) - rank(bShape) || byBytes(words(aShape), words(bShape));
}

function isResource(text: string): boolean {
  if (text === "" || bytes(text) > 512 || CONTROL.test(text) || SPACE.test(text)) {
    return false;
  }
  const star = text.indexOf("*");
  return star < 0 || star === text.length - 1;
}

function isHost(text: string): boolean {
  if (text.includes(":") && !isIPv6(text)) {
    return false;
  }
  return /^[a-z0-9._:-]{1,253}$/.test(text) && !text.startsWith(".") && !text.endsWith(".") && !text.includes("..");
}

function isPath(text: string): boolean {
  if (text !== "/" && (!text.startsWith("/") || text.endsWith("/"))) {
    return false;
  }
  const dots = text.split("/").some((part) => [".", ".."].includes(part.split(";")[0] ?? ""));
  return !dots && /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/[\]]|%[0-9A-F]{2})+$/.test(text);
}

/** The agent's name of a resource, or the beginning of names and a `*`. */
export function isNamed(text: string): boolean {
  const match = /^(secret|op|log|tool):(\/.*)$/s.exec(text);
  const path = match?.[2] ?? "";
  const whole = path.endsWith("*") ? `${path.slice(0, -1)}x` : path;
  const plain = isPath(whole) && whole.length > 1 && !whole.includes("//") && !/[*;:]/.test(whole);
  return bytes(text) <= 512 && plain && (match?.[1] !== "op" || namesOperations(path));
}

function namesOperations(path: string): boolean {
  const [integration, operation] = halves(path.slice(1));
  const word = /^[a-z0-9._-]*$/;
  if (!path.slice(1).includes("/")) {
    return path.endsWith("*") && word.test(path.slice(1, -1));
  }
  const named = operation.length <= 63 && operation.split(".").every(isLabel);
  return isIntegration(integration) && (operation.endsWith("*") ? word.test(operation.slice(0, -1)) : named);
}

/** A cgroup below the root. */
export function isBelowRoot(path: string): boolean {
  if (bytes(path) > 1024 || !path.startsWith("/") || CONTROL.test(path)) {
    return false;
  }
  return path
    .slice(1)
    .split("/")
    .every((part) => part !== "" && part !== "." && part !== "..");
}

/** The rule of a list of texts. */
export interface Rule {
  valid: (text: string) => boolean;
  what: string;
  order: (a: string, b: string) => number;
}

/** The rules, by the kind of the caveat. */
export const RULES: Record<string, Rule> = {
  integrations: { valid: isIntegration, what: "an integration", order: byBytes },
  operations: {
    valid: isPattern,
    what: "an operation pattern: `slack/chat.post`, `slack/chat.*` or `slack/*`",
    order: byPattern,
  },
  resources: { valid: isResource, what: "a resource, or its beginning and one `*`", order: byBytes },
  hosts: { valid: isHost, what: "a host name or address without a port", order: byBytes },
  methods: {
    valid: (name) => METHODS.includes(name),
    what: "a method that can be forwarded",
    order: (a, b) => METHODS.indexOf(a) - METHODS.indexOf(b),
  },
  path_prefix: { valid: isPath, what: "a canonical path such as `/api/v4`", order: byBytes },
  environment: { valid: isText, what: "a text of 1 to 512 bytes", order: byBytes },
};

/** An address as bytes, 4 or 16; nothing where it is none. */
export function addressOf(text: string): Buffer | undefined {
  if (isIPv4(text)) {
    return Buffer.from(text.split(".").map(Number));
  }
  if (!isIPv6(text) || text.includes("%")) {
    return undefined;
  }
  // The last four bytes may be written as IPv4.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((part) => part.toString(16)).join(":"),
  );
  const [head = "", tail] = plain.split("::");
  const words = (part: string): number[] => (part === "" ? [] : part.split(":").map((word) => parseInt(word, 16)));
  const [before, after] = [words(head), words(tail ?? "")];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const out = Buffer.alloc(16);
  [...before, ...zeros, ...after].forEach((word, at) => out.writeUInt16BE(word, at * 2));
  return out;
}

/** An address as text, in the form of RFC 5952. */
export function addressText(address: Buffer): string {
  if (address.length === 4) {
    return [...address].join(".");
  }
  const words = Array.from({ length: 8 }, (_, at) => address.readUInt16BE(at * 2));
  let [start, length] = [0, 1];
  for (let at = 0; at < 8; at += 1) {
    let run = 0;
    while (at + run < 8 && words[at + run] === 0) {
      run += 1;
    }
    if (run > length) {
      [start, length] = [at, run];
    }
  }
  const hex = (part: number[]): string => part.map((word) => word.toString(16)).join(":");
  return length < 2 ? hex(words) : `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

/** Whether this is IPv4 inside IPv6. */
export function isMapped(address: Buffer): boolean {
  return address.length === 16 && address.subarray(0, 10).every((byte) => byte === 0) && address.readUInt16BE(10) === 0xffff;
}
