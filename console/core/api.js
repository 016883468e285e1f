// Asks Doorward's own API. Every answer is either what was asked for or a `Problem` that says what to do.
//
// A session is a cookie that no script can read, and the word of the page, which a browser gives to no other origin: a cookie alone goes
// to every port of a host. Every request says the word.

import { later } from "./session.js";

/** Something that went wrong, in words for people. */
export class Problem extends Error {
  constructor({ status = 0, code = "unreachable", title, detail, hint, evidence, errors, retry }) {
    super(detail || title || "Something went wrong");
    Object.assign(this, { status, code, title, hint, evidence, errors, retry });
  }
}

/** Reads one resource. */
export function get(path, query, signal) {
  return call("GET", path, { query, signal });
}

/** Writes. Each press of a button is one key, so a second try after a broken line does it once. */
export function send(method, path, body, options = {}) {
  return call(method, path, { body, ...options });
}

/** Reads one resource as a file that the browser keeps: a link could not say the word of the page. */
export async function download(path, query, name) {
  const kept = URL.createObjectURL(await call("GET", path, { query, whole: true }));
  const link = Object.assign(document.createElement("a"), { href: kept, download: name });
  link.click();
  // The browser reads it after the press.
  setTimeout(() => URL.revokeObjectURL(kept), 60_000);
}

/** A key for one write, kept by whoever tries it again. */
export function once() {
  return crypto.randomUUID();
}

async function call(method, path, { query, body, signal, key, match, whole } = {}) {
  const headers = { accept: whole ? "*/*" : "application/json, application/problem+json" };
  const word = later.word();
  if (word) headers["x-csrf-token"] = word;
  const options = { method, headers, signal, credentials: "same-origin", cache: "no-store", redirect: "error" };
  if (method !== "GET") {
    if (method === "POST") headers["idempotency-key"] = key ?? once();
    if (match) headers["if-match"] = match;
    if (body !== undefined) {
      headers["content-type"] = "application/json";
      options.body = JSON.stringify(body);
    }
  }
  let reply;
  try {
    reply = await fetch(address(path, query), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({
      detail: "Doorward does not answer.",
      hint: "See whether `doorward serve` still runs on this machine, then try again.",
    });
  }
  if (whole && reply.ok) {
    later.asked();
    return reply.blob();
  }
  return read(reply, method === "POST" && path === "session");
}

function address(path, query) {
  const words = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = new URLSearchParams(words).toString();
  return `/v1/${path}${text ? `?${text}` : ""}`;
}

async function read(reply, beginning) {
  if (reply.status !== 401) later.asked();
  const value = reply.status === 204 ? null : await reply.json().catch(() => null);
  if (reply.ok) {
    if (value && typeof value === "object") Object.defineProperty(value, "etag", { value: reply.headers.get("etag") });
    return value;
  }
  // A session that is over leads to the sign-in. Where there was none, this is the page's own matter; a link that does not begin another
  // one says nothing of it.
  if (reply.status === 401 && !beginning) later.over();
  const said = value && typeof value === "object" ? value : {};
  throw new Problem({
    ...said,
    status: reply.status,
    code: said.code ?? `http_${reply.status}`,
    detail: said.detail ?? said.title ?? `Doorward answered ${reply.status}.`,
    evidence: said.evidence ?? undefined,
    retry: Number(reply.headers.get("retry-after")) || undefined,
  });
}

/** A part of a path, as one part whatever is in it. */
export const part = encodeURIComponent;
