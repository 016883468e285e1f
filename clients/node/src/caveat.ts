/** Caveats: what a capability takes away. A closed, typed list; one that is not known refuses the whole token. */

import { TokenError } from "./errors.js";
import { addressOf, addressText, byBytes, isBelowRoot, isMapped, isNamed, isText, RULES } from "./names.js";
import { Reader, putList, putText, u16, u32, u64 } from "./bytes.js";

/** Hours of the week in an IANA time zone. */
export interface Hours {
  /** `mon` to `sun`. */
  days: readonly string[];
  /** Such as `09:00`. */
  from: string;
  to: string;
  zone: string;
}

/** A process as the kernel names it, or a key by its thumbprint in hex. */
export interface Holder {
  uid?: number;
  cgroup?: string;
  key?: string;
  /** Such as `run_01j…`. */
  run?: string;
}

/** What a capability of the agent is for, in the agent's words. */
export interface Reach {
  /** `read`, `write`, `delete`, `execute` or `admin`. */
  actions: readonly string[];
  /** Such as `secret:/db/primary`, or the beginning of names and a `*`. */
  resource: string;
}

/** Hours and days as sets, in each of these time zones. What is left out is all of them. */
export interface Window {
  /** 0 to 23. */
  hours?: readonly number[];
  /** `mon` to `sun`. */
  days?: readonly string[];
  zones: readonly string[];
}

/** From its start until before its end. */
export interface Span {
  start: string | Date;
  end: string | Date;
}

/** A caveat as files have it: one key. Numbers of uses beyond 2^53 are bigints. */
export type Caveat =
  | { integrations: readonly string[] }
  | { operations: readonly string[] }
  | { access: "read" | "write" }
  | { resources: readonly string[] }
  | { hosts: readonly string[] }
  | { methods: readonly string[] }
  | { path_prefix: readonly string[] }
  | { not_before: string | Date }
  | { not_after: string | Date }
  | { hours: Hours }
  | { cidr: readonly string[] }
  | { environment: readonly string[] }
  | { rate: { calls: number; per: string } }
  | { uses: number | bigint }
  | { purpose: string }
  | { holder: Holder }
  | { approval: "all" | "writes" }
  | { inputs: Readonly<Record<string, readonly string[]>> }
  | { reach: Reach }
  | { window: Window }
  | { blackout: readonly Span[] };

/** A caveat in its one form: sorted, without duplicates, times as RFC 3339. */
export interface Canonical {
  readonly kind: string;
  readonly value: unknown;
  readonly encoded: Buffer;
}

/** Network, and the length of its prefix. */
export interface Network {
  address: Buffer;
  prefix: number;
}

export const KINDS = [
  "integrations",
  "operations",
  "access",
  "resources",
  "hosts",
  "methods",
  "path_prefix",
  "not_before",
  "not_after",
  "hours",
  "cidr",
  "environment",
  "rate",
  "uses",
  "purpose",
  "holder",
  "approval",
  "inputs",
  "reach",
  "window",
  "blackout",
];
export const ACTIONS = ["read", "write", "delete", "execute", "admin"];
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ALL_HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const LETTERS = "0123456789abcdefghjkmnpqrstvwxyz";
const RUN = /^run_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const LONGEST = 64;
// Beyond this a time is shown as the last moment of the year 9999, as the broker shows it.
const LAST = 253402300799999n;

/** The one form of a caveat; a wrong one is a `TokenError`. */
export function canonical(written: Caveat): Canonical {
  const [entry, ...more] = Object.entries(written);
  if (entry === undefined || more.length > 0) {
    throw new TokenError("a caveat has one name, such as `uses`");
  }
  return made(entry[0], entry[1]);
}

function made(kind: string, given: unknown): Canonical {
  const number = KINDS.indexOf(kind) + 1;
  if (number === 0) {
    throw new TokenError(`\`${kind}\` is no caveat`);
  }
  const [value, content] = form(kind, given);
  return { kind, value, encoded: Buffer.concat([Buffer.from([number]), u16(content.length), content]) };
}

/** Reads one from a token. */
export function readCaveat(from: Reader): Canonical {
  const kind = from.u8();
  const content = from.take(from.u16());
  const name = KINDS[kind - 1];
  if (name === undefined) {
    throw new TokenError(`the capability holds a caveat of the unknown kind ${kind}`);
  }
  const inner = new Reader(content);
  const found = made(name, readValue(name, inner));
  inner.end();
  // What was read must be written the same, or there would be two texts for one token.
  if (!found.encoded.subarray(3).equals(content)) {
    throw malformed("a list is empty or out of order");
  }
  return found;
}

/** In words. */
export function shown({ kind, value }: Canonical): string {
  if (kind === "blackout") {
    const spans = (value as Span[]).map(({ start, end }) => `${String(start)} to ${String(end)}`);
    return `${kind} ${spans.join(", ")}`;
  }
  if (kind === "reach") {
    const { actions, resource } = value as Reach;
    return `${kind} ${actions.join(", ")} on ${resource}`;
  }
  if (kind === "window") {
    const { hours = ALL_HOURS, days = DAYS, zones } = value as Window;
    const shown = hours.map((hour) => String(hour).padStart(2, "0"));
    return `${kind} ${days.join(",")} at ${shown.join(",")} ${zones.join(", ")}`;
  }
  if (Array.isArray(value)) {
    return `${kind} ${value.join(", ")}`;
  }
  if (kind === "hours") {
    const { days, from, to, zone } = value as Hours;
    return `hours ${days.join(",")} ${from}-${to} ${zone}`;
  }
  if (kind === "rate") {
    const { calls, per } = value as { calls: number; per: string };
    return `rate ${calls} per ${per}`;
  }
  if (kind === "approval") {
    return value === "all" ? "approval of all calls" : "approval of writes";
  }
  if (kind === "holder") {
    return `holder ${Object.entries(value as Holder)
      .map(([name, fact]) => `${name} ${fact}`)
      .join(", ")}`;
  }
  if (kind === "inputs") {
    return `inputs ${Object.entries(value as Record<string, string[]>)
      .map(([name, values]) => `${name}=${values.join(", ")}`)
      .join("; ")}`;
  }
  return `${kind} ${String(value)}`;
}

/** An id as text: 26 letters of Crockford's base 32. */
export function ulid(name: string, bytes: Buffer): string {
  let number = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let at = 0; at < 26; at += 1) {
    text = (LETTERS[Number(number & 31n)] ?? "") + text;
    number >>= 5n;
  }
  return name + text;
}

function idBytes(text: string): Buffer {
  const number = [...text].reduce((sum, letter) => (sum << 5n) | BigInt(LETTERS.indexOf(letter)), 0n);
  return Buffer.from(number.toString(16).padStart(32, "0"), "hex");
}

/** Why a token is none. */
export function malformed(why: string): TokenError {
  return new TokenError(`the capability is not well formed: ${why}`);
}

// === the one form ===

function form(kind: string, given: unknown): [unknown, Buffer] {
  if (kind in RULES) {
    const list = listOf(kind, given);
    return [list, putList(list)];
  }
  switch (kind) {
    case "access":
      return choice(kind, given, ["read", "write"]);
    case "approval":
      return choice(kind, given, ["all", "writes"]);
    case "not_before":
    case "not_after": {
      const time = millis(given);
      return [showTime(time), u64(time)];
    }
    case "uses": {
      const most = whole(given, 1n, 2n ** 64n - 1n);
      return [most <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(most) : most, u64(most)];
    }
    case "purpose":
      if (!isText(given)) {
        throw new TokenError("a purpose is a text of 1 to 512 bytes without outer white space");
      }
      return [given, putText(given)];
    case "rate": {
      const { calls, seconds } = rateOf(given);
      return [{ calls, per: `${seconds}s` }, Buffer.concat([u32(calls), u32(seconds)])];
    }
    case "hours":
      return hoursOf(given);
    case "cidr":
      return networksOf(given);
    case "holder":
      return holderOf(given);
    case "reach":
      return reachOf(given);
    case "window":
      return windowOf(given);
    case "blackout":
      return blackoutOf(given);
    default:
      return inputsOf(given);
  }
}

function texts(given: unknown): string[] {
  if (!Array.isArray(given) || !given.every((entry) => typeof entry === "string")) {
    throw new TokenError("a list of texts is expected");
  }
  return given as string[];
}

function counted<T>(entries: T[]): T[] {
  if (entries.length < 1 || entries.length > LONGEST) {
    throw new TokenError(`a list has 1 to 64 entries, not ${entries.length}`);
  }
  return entries;
}

function listOf(kind: string, given: unknown): string[] {
  const rule = RULES[kind];
  const entries = texts(given);
  const bad = entries.find((entry) => !rule?.valid(entry));
  if (bad !== undefined) {
    throw new TokenError(`\`${bad}\` is not ${rule?.what ?? "known"}`);
  }
  return counted([...new Set(entries)].sort(rule?.order));
}

function choice(kind: string, given: unknown, names: string[]): [unknown, Buffer] {
  const at = names.indexOf(given as string);
  if (at < 0) {
    throw new TokenError(`\`${String(given)}\` is no value of \`${kind}\`: \`${names.join("` or `")}\``);
  }
  return [given, Buffer.from([at])];
}

function whole(given: unknown, least: bigint, most: bigint): bigint {
  const exact = typeof given === "bigint" ? given : Number.isSafeInteger(given) ? BigInt(given as number) : -1n;
  if (exact < least || exact > most) {
    throw new TokenError(`\`${String(given)}\` is no number from ${least} to ${most}`);
  }
  return exact;
}

/** Milliseconds since 1970. */
export function millis(given: unknown): bigint {
  if (typeof given === "bigint") {
    return given;
  }
  const written = typeof given === "string" && /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/.test(given);
  const time = given instanceof Date ? given.getTime() : written ? Date.parse((given as string).toUpperCase()) : NaN;
  if (!Number.isFinite(time) || time < 0) {
    throw new TokenError(`\`${String(given)}\` is no time: RFC 3339, such as \`2026-11-22T09:00:00Z\``);
  }
  return BigInt(time);
}

function showTime(time: bigint): string | bigint {
  return time > LAST ? time : new Date(Number(time)).toISOString();
}

/** Calls, and in how many seconds. */
export function rateOf(given: unknown): { calls: number; seconds: number } {
  const { calls, per, ...more } = (given ?? {}) as { calls?: unknown; per?: unknown };
  const match = typeof per === "string" ? /^(\d{1,10})(s|m|h|d)$/.exec(per) : null;
  const unit = { s: 1, m: 60, h: 3600, d: 86400 }[match?.[2] ?? "s"] ?? 1;
  const seconds = match === null ? 0 : Number(match[1]) * unit;
  const most = 2 ** 32 - 1;
  const good = Number.isInteger(calls) && (calls as number) >= 1 && (calls as number) <= most;
  if (!good || seconds < 1 || seconds > most || Object.keys(more).length > 0) {
    throw new TokenError('a rate is written `{"calls": 5, "per": "60s"}`');
  }
  return { calls: calls as number, seconds };
}

/** Minutes of the day. */
export function minutes(text: unknown): number {
  const match = typeof text === "string" ? /^(\d\d):(\d\d)$/.exec(text) : null;
  const [hour, minute] = [Number(match?.[1]), Number(match?.[2])];
  if (match === null || minute > 59 || hour * 60 + minute > 1440) {
    throw new TokenError("a time of day is written `09:00`");
  }
  return hour * 60 + minute;
}

function hoursOf(given: unknown): [Hours, Buffer] {
  const { days, from, to, zone, ...more } = (given ?? {}) as Record<string, unknown>;
  const named = texts(days);
  const known = named.every((day) => DAYS.includes(day));
  const sorted = DAYS.filter((day) => named.includes(day));
  const [start, end] = [minutes(from), minutes(to)];
  const good = known && sorted.length > 0 && start < 1440 && end !== 0 && start !== end;
  if (!good || typeof zone !== "string" || !/^[!-~]{1,64}$/.test(zone) || Object.keys(more).length > 0) {
    throw new TokenError("hours have days such as `mon`, different times such as `09:00` and `17:30`, and a zone");
  }
  const bits = sorted.reduce((all, day) => all | (1 << DAYS.indexOf(day)), 0);
  const content = Buffer.concat([Buffer.from([bits]), u16(start), u16(end), putText(zone)]);
  return [{ days: sorted, from: from as string, to: to as string, zone }, content];
}

/** A network from its text. */
export function networkOf(text: string): Network {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = addressOf(match?.[1] ?? "");
  const prefix = Number(match?.[2]);
  if (address === undefined || prefix > address.length * 8 || isMapped(address)) {
    throw new TokenError(`\`${text}\` is no network: an address and a prefix such as \`10.0.0.0/8\``);
  }
  for (let bit = prefix; bit < address.length * 8; bit += 1) {
    if (((address[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) {
      throw new TokenError(`\`${text}\` is no network: a bit behind the prefix is set`);
    }
  }
  return { address, prefix };
}

function networksOf(given: unknown): [string[], Buffer] {
  const found = new Map<string, Network>();
  for (const text of texts(given)) {
    const network = networkOf(text);
    found.set(`${addressText(network.address)}/${network.prefix}`, network);
  }
  const order = ([, a]: [string, Network], [, b]: [string, Network]): number =>
    a.address.length - b.address.length || Buffer.compare(a.address, b.address) || a.prefix - b.prefix;
  const sorted = counted([...found].sort(order));
  const coded = sorted.map(([, { address, prefix }]) =>
    Buffer.concat([Buffer.from([address.length === 4 ? 4 : 6]), address, Buffer.from([prefix])]),
  );
  return [sorted.map(([text]) => text), Buffer.concat([Buffer.from([sorted.length]), ...coded])];
}

function holderOf(given: unknown): [Holder, Buffer] {
  const { uid, cgroup, key, run, ...more } = (given ?? {}) as Record<string, unknown>;
  const parts: Buffer[] = [Buffer.from([0])];
  const value: Holder = {};
  let [flags, good] = [0, Object.keys(more).length === 0];
  if (uid !== undefined) {
    good &&= Number.isInteger(uid) && (uid as number) >= 0 && (uid as number) < 2 ** 32;
    value.uid = uid as number;
    flags |= 1;
    parts.push(good ? u32(uid as number) : Buffer.alloc(0));
  }
  if (cgroup !== undefined) {
    good &&= typeof cgroup === "string" && isBelowRoot(cgroup);
    value.cgroup = cgroup as string;
    flags |= 2;
    parts.push(good ? putText(cgroup as string) : Buffer.alloc(0));
  }
  if (key !== undefined) {
    good &&= typeof key === "string" && /^[0-9a-f]{64}$/.test(key);
    value.key = key as string;
    flags |= 4;
    parts.push(good ? Buffer.from(key as string, "hex") : Buffer.alloc(0));
  }
  if (run !== undefined) {
    good &&= typeof run === "string" && RUN.test(run);
    value.run = run as string;
    flags |= 8;
    parts.push(good ? idBytes((run as string).slice(4)) : Buffer.alloc(0));
  }
  if (!good || flags === 0) {
    throw new TokenError("a holder has a uid, a key, or a cgroup such as `/user.slice`");
  }
  parts[0] = Buffer.from([flags]);
  return [value, Buffer.concat(parts)];
}

function reachOf(given: unknown): [Reach, Buffer] {
  const { actions, resource, ...more } = (given ?? {}) as Record<string, unknown>;
  const named = texts(actions);
  const sorted = ACTIONS.filter((action) => named.includes(action));
  const good = sorted.length > 0 && named.every((action) => ACTIONS.includes(action)) && Object.keys(more).length === 0;
  if (!good || typeof resource !== "string" || !isNamed(resource)) {
    throw new TokenError("a reach has actions such as `read`, and a resource such as `secret:/db/primary`");
  }
  const bits = sorted.reduce((all, action) => all | (1 << ACTIONS.indexOf(action)), 0);
  return [{ actions: sorted, resource }, Buffer.concat([Buffer.from([bits]), putText(resource)])];
}

function windowOf(given: unknown): [Window, Buffer] {
  const { hours = [], days = [], zones, ...more } = (given ?? {}) as Record<string, unknown>;
  const wanted = Array.isArray(hours) ? (hours as unknown[]) : [-1];
  const on = DAYS.filter((day) => texts(days).includes(day));
  const at = ALL_HOURS.filter((hour) => wanted.includes(hour));
  const known = wanted.every((hour) => ALL_HOURS.includes(hour as number)) && texts(days).every((day) => DAYS.includes(day));
  const value: Window = {
    ...(at.length % 24 === 0 ? {} : { hours: at }),
    ...(on.length % 7 === 0 ? {} : { days: on }),
    zones: counted([...new Set(texts(zones))].sort(byBytes)),
  };
  const named = value.zones.every((zone) => /^[!-~]{1,64}$/.test(zone));
  if (!known || !named || Object.keys(value).length === 1 || Object.keys(more).length > 0) {
    throw new TokenError("a window has hours from 0 to 23 and days such as `mon`, not all of both, and zones");
  }
  const [hourBits, dayBits] = windowBits(value);
  return [value, Buffer.concat([u32(hourBits), Buffer.from([dayBits]), putList(value.zones)])];
}

/** The hours and the days as bits. */
export function windowBits({ hours = ALL_HOURS, days = DAYS }: Window): [number, number] {
  const set = (bits: readonly number[]): number => bits.reduce((all, bit) => all | (1 << bit), 0);
  return [set(hours), set(days.map((day) => DAYS.indexOf(day)))];
}

function blackoutOf(given: unknown): [{ start: string | bigint; end: string | bigint }[], Buffer] {
  const spans = Array.isArray(given) ? (given as Record<string, unknown>[]) : [];
  const read = spans.map(({ start, end, ...more }) => {
    const times = [millis(start), millis(end)] as const;
    if (times[0] >= times[1] || Object.keys(more).length > 0) {
      throw new TokenError("a span of a blackout has a `start` and a later `end`");
    }
    return times;
  });
  const order = ([a, b]: readonly [bigint, bigint], [c, d]: readonly [bigint, bigint]): number =>
    Number(a === c ? b - d : a - c);
  const sorted = read.sort(order).filter((span, at) => at === 0 || order(span, read[at - 1] ?? span) !== 0);
  const content = Buffer.concat([Buffer.from([counted(sorted).length]), ...sorted.flat().map(u64)]);
  return [sorted.map(([start, end]) => ({ start: showTime(start), end: showTime(end) })), content];
}

function inputsOf(given: unknown): [Record<string, string[]>, Buffer] {
  const entries = Object.entries((given ?? {}) as Record<string, unknown>).map(([name, values]) => {
    const listed = texts(values);
    if (![name, ...listed].every(isText)) {
      throw new TokenError("names and values of inputs are texts of 1 to 512 bytes");
    }
    return [name, counted([...new Set(listed)].sort(byBytes))] as const;
  });
  const sorted = counted(entries).sort(([a], [b]) => byBytes(a, b));
  const coded = sorted.map(([name, values]) => Buffer.concat([putText(name), putList(values)]));
  return [Object.fromEntries(sorted), Buffer.concat([Buffer.from([sorted.length]), ...coded])];
}

// === reading ===

function readValue(kind: string, from: Reader): unknown {
  if (kind in RULES) {
    return from.texts();
  }
  switch (kind) {
    case "access":
      return flag(from, ["read", "write"]);
    case "approval":
      return flag(from, ["all", "writes"]);
    case "not_before":
    case "not_after":
    case "uses":
      return from.u64();
    case "purpose":
      return from.text();
    case "rate":
      return { calls: from.u32(), per: `${from.u32()}s` };
    case "hours": {
      const days = from.u8();
      const [start, end] = [from.u16(), from.u16()];
      if (days > 127) {
        throw malformed("a caveat has a wrong value");
      }
      const named = DAYS.filter((_, at) => (days >> at) & 1);
      return { days: named, from: clock(start), to: clock(end), zone: from.text() };
    }
    case "cidr":
      return Array.from({ length: from.u8() }, () => {
        const family = from.u8();
        if (family !== 4 && family !== 6) {
          throw malformed("a caveat has a wrong value");
        }
        const address = from.take(family === 4 ? 4 : 16);
        return `${addressText(address)}/${from.u8()}`;
      });
    case "holder": {
      const flags = from.u8();
      if (flags > 15) {
        throw malformed("a caveat has a wrong value");
      }
      return {
        ...(flags & 1 ? { uid: from.u32() } : {}),
        ...(flags & 2 ? { cgroup: from.text() } : {}),
        ...(flags & 4 ? { key: from.take(32).toString("hex") } : {}),
        ...(flags & 8 ? { run: ulid("run_", from.take(16)) } : {}),
      };
    }
    case "reach": {
      const bits = from.u8();
      if (bits > 31) {
        throw malformed("a caveat has a wrong value");
      }
      return { actions: ACTIONS.filter((_, at) => (bits >> at) & 1), resource: from.text() };
    }
    case "window": {
      const [hours, days] = [from.u32(), from.u8()];
      if (hours >= 1 << 24 || days > 127 || hours === 0 || days === 0) {
        throw malformed("a caveat has a wrong value");
      }
      const at = ALL_HOURS.filter((hour) => (hours >> hour) & 1);
      return { hours: at, days: DAYS.filter((_, day) => (days >> day) & 1), zones: from.texts() };
    }
    case "blackout":
      return Array.from({ length: from.u8() }, () => ({ start: from.u64(), end: from.u64() }));
    default:
      return readInputs(from);
  }
}

function readInputs(from: Reader): Record<string, string[]> {
  const found: [string, string[]][] = Array.from({ length: from.u8() }, () => [from.text(), from.texts()]);
  // The order is compared with the bytes afterwards; an object would hide a name that comes twice.
  if (new Set(found.map(([name]) => name)).size !== found.length) {
    throw malformed("a list is empty or out of order");
  }
  return Object.fromEntries(found);
}

function flag(from: Reader, names: string[]): string {
  const name = names[from.u8()];
  if (name === undefined) {
    throw malformed("a caveat has a wrong value");
  }
  return name;
}

function clock(minute: number): string {
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}
