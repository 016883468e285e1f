/** Whether a call keeps a caveat, and whether a narrowing only takes away. */

import { addressOf, byBytes, halves, isBelowRoot, isMapped, isNamed } from "./names.js";
import { DAYS, millis, minutes, networkOf, rateOf, shown, windowBits } from "./caveat.js";
import type { Canonical, Holder, Hours, Network, Reach, Span, Window } from "./caveat.js";

/** What is known about a call. A fact that a caveat is about and that is left out breaks the caveat. */
export interface Facts {
  now?: Date;
  integration?: string;
  operation?: string;
  access?: string;
  resource?: string;
  host?: string;
  method?: string;
  path?: string;
  address?: string;
  environment?: string;
  purpose?: string;
  uid?: number;
  cgroup?: string;
  key?: string;
  run?: string;
  /** The secrets that the integration puts on the request, as the agent names them: `secret:/slack/token`. */
  secrets?: readonly string[];
  inputs?: Readonly<Record<string, string>>;
}

/** A caveat that a call breaks, and the words behind "the capability". */
export interface Broken {
  kind: string;
  says: string;
}

/** What of these facts breaks a caveat, if they do. */
export function broken(caveat: Canonical, facts: Facts): Broken | undefined {
  return holds(caveat, facts) ? undefined : { kind: caveat.kind, says: says(caveat, facts) };
}

function holds({ kind, value }: Canonical, facts: Facts): boolean {
  const some = (fact: string | undefined, matches: (entry: string, fact: string) => boolean): boolean =>
    fact !== undefined && (value as string[]).some((entry) => matches(entry, fact));
  const same = (entry: string, fact: string): boolean => entry === fact;
  switch (kind) {
    case "integrations":
      return some(facts.integration, same);
    case "operations":
      return some(facts.operation, (pattern, name) => coversPattern(pattern, `${facts.integration ?? ""}/${name}`));
    case "access":
      return facts.access === "read" || (facts.access === "write" && value === "write");
    case "resources":
      return some(facts.resource, coversResource);
    case "hosts":
      return some(facts.host, same);
    case "methods":
      return some(facts.method, same);
    case "path_prefix":
      return some(facts.path, coversPath);
    case "environment":
      return some(facts.environment, same);
    case "not_before":
      return facts.now !== undefined && millis(facts.now) >= millis(value);
    case "not_after":
      return facts.now !== undefined && millis(facts.now) < millis(value);
    case "hours":
      return facts.now !== undefined && inHours(value as Hours, facts.now);
    case "cidr":
      return some(facts.address, (network, address) => contains(networkOf(network), address));
    case "purpose":
      return facts.purpose === value;
    case "holder":
      return isHolder(value as Holder, facts);
    case "reach":
      return reaches(value as Reach, facts);
    case "window":
      return facts.now !== undefined && inWindow(value as Window, facts.now);
    case "blackout": {
      const now = facts.now === undefined ? undefined : millis(facts.now);
      const inside = ({ start, end }: Span): boolean => now === undefined || (millis(start) <= now && now < millis(end));
      return !(value as Span[]).some(inside);
    }
    case "inputs":
      return Object.entries(value as Record<string, string[]>).every(([name, values]) => {
        const given = Object.hasOwn(facts.inputs ?? {}, name) ? facts.inputs?.[name] : undefined;
        return given !== undefined && values.includes(given);
      });
    default:
      // Rates, uses and approvals are counted by the broker.
      return kind === "rate" || kind === "uses" || kind === "approval";
  }
}

function coversPattern(old: string, next: string): boolean {
  const [[oldName, shape], [newName, other]] = [halves(old), halves(next)];
  if (oldName !== newName) {
    return false;
  }
  if (shape === "*" || shape === other) {
    return true;
  }
  const words = other.endsWith(".*") ? other.slice(0, -2) : other;
  return shape.endsWith(".*") && other !== "*" && words.startsWith(shape.slice(0, -1));
}

function coversResource(old: string, next: string): boolean {
  return old.endsWith("*") ? next.startsWith(old.slice(0, -1)) : old === next;
}

function coversPath(prefix: string, path: string): boolean {
  return prefix === "/" || path === prefix || path.startsWith(`${prefix}/`);
}

function covers(outer: Network, address: Buffer, prefix: number): boolean {
  if (outer.address.length !== address.length || outer.prefix > prefix) {
    return false;
  }
  for (let bit = 0; bit < outer.prefix; bit += 1) {
    const mask = 128 >> (bit & 7);
    if (((outer.address[bit >> 3] ?? 0) & mask) !== ((address[bit >> 3] ?? 0) & mask)) {
      return false;
    }
  }
  return true;
}

function contains(network: Network, text: string): boolean {
  const given = addressOf(text);
  if (given === undefined) {
    return false;
  }
  const address = isMapped(given) ? given.subarray(12) : given;
  return covers(network, address, address.length * 8);
}

function inHours(value: Hours, now: Date): boolean {
  const local = localTime(value.zone, now);
  return local !== undefined && hold(value, local.day, local.minute);
}

function inWindow(value: Window, now: Date): boolean {
  const [hours, days] = windowBits(value);
  return value.zones.every((zone) => {
    const local = localTime(zone, now);
    return local !== undefined && ((hours >> Math.floor(local.minute / 60)) & (days >> local.day) & 1) === 1;
  });
}

/** The day from Monday and the minute of the day; nothing for a zone that is not known here. */
function localTime(zone: string, now: Date): { day: number; minute: number } | undefined {
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
    const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
    const day = DAYS.indexOf((parts.get("weekday") ?? "").toLowerCase());
    return { day, minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")) };
  } catch {
    return undefined;
  }
}

const OF_SECRETS: Record<string, string> = {
  "secret.reveal": "read",
  "secret.put": "write",
  "secret.rotate": "write",
  "secret.forget": "delete",
};

function reaches({ actions, resource }: Reach, facts: Facts): boolean {
  const has = (action: string): boolean => actions.includes(action) || actions.includes("admin");
  const covers = (name: string): boolean => isNamed(name) && !name.endsWith("*") && coversResource(resource, name);
  const [word, { integration, operation }] = [resource.slice(0, resource.indexOf(":")), facts];
  if (integration === undefined || operation === undefined) {
    return false;
  }
  if (integration === "doorward") {
    const needed = word === "secret" ? OF_SECRETS[operation] : word === "log" && operation === "log.append" ? "write" : undefined;
    return needed !== undefined && has(needed) && facts.resource !== undefined && covers(facts.resource);
  }
  const reads = facts.access === "read" && has("read");
  if (word === "secret") {
    const lent = facts.secrets ?? [];
    return lent.length > 0 && lent.every(covers) && (reads || has("execute"));
  }
  if (word === "tool") {
    // A tool without a folder is an operation of the integration `tools`.
    const folder = integration === "tools" ? "" : `${integration}/`;
    return has("execute") && covers(`tool:/${folder}${operation}`);
  }
  return word === "op" && covers(`op:/${integration}/${operation}`) && (reads || has("write") || has("execute"));
}

function hold(value: Hours, day: number, minute: number): boolean {
  const [start, end] = [minutes(value.from), minutes(value.to)];
  const on = (at: number): boolean => value.days.includes(DAYS[at % 7] ?? "");
  if (start < end) {
    return on(day) && start <= minute && minute < end;
  }
  return (on(day) && minute >= start) || (on(day + 6) && minute < end);
}

function isHolder(value: Holder, facts: Facts): boolean {
  const below =
    value.cgroup === undefined || (facts.cgroup !== undefined && isAtOrBelow(facts.cgroup, value.cgroup));
  return (
    below &&
    (value.uid === undefined || value.uid === facts.uid) &&
    (value.key === undefined || value.key === facts.key) &&
    (value.run === undefined || value.run === facts.run)
  );
}

function isAtOrBelow(path: string, wanted: string): boolean {
  return isBelowRoot(path) && (path === wanted || path.startsWith(`${wanted}/`));
}

function says({ kind, value }: Canonical, facts: Facts): string {
  const words: Record<string, string> = {
    integrations: `does not allow the integration \`${facts.integration}\``,
    operations: `does not allow \`${facts.integration}/${facts.operation}\``,
    access: `allows no ${facts.access}`,
    resources: `does not allow the resource \`${facts.resource}\``,
    hosts: "does not allow this host",
    methods: "does not allow this method",
    path_prefix: "does not allow this path",
    not_before: `is not valid before ${String(value)}`,
    not_after: `expired at ${String(value)}`,
    hours: "is not valid at this hour",
    cidr: "is bound to a network",
    environment: "is not valid in this environment",
    purpose: "is bound to another purpose",
    holder: "belongs to another holder",
    inputs: "does not allow these inputs",
    reach: `does not reach \`${facts.integration}/${facts.operation}\` on \`${facts.resource}\``,
    window: "is not valid at this hour",
    blackout: "is not valid in this period",
  };
  return words[kind] ?? `breaks ${kind}`;
}

// === narrowing ===

/** What of a caveat its parent plainly doesn't allow, in words. */
export function wider(child: Canonical, parent: Canonical): string | undefined {
  const [next, old] = [child.value, parent.value];
  const outside = (allows: (old: string, next: string) => boolean): string | undefined =>
    (next as string[]).find((entry) => !(old as string[]).some((allowed) => allows(allowed, entry)));
  if (child.kind === "integrations" && parent.kind === "operations") {
    return outside((pattern, name) => halves(pattern)[0] === name);
  }
  if (child.kind === "operations" && parent.kind === "integrations") {
    return outside((name, pattern) => halves(pattern)[0] === name);
  }
  if (child.kind !== parent.kind) {
    return undefined;
  }
  switch (child.kind) {
    case "operations":
      return outside(coversPattern);
    case "resources":
      return outside(coversResource);
    case "path_prefix":
      return outside(coversPath);
    case "cidr":
      return outside((outer, inner) => {
        const { address, prefix } = networkOf(inner);
        return covers(networkOf(outer), address, prefix);
      });
    case "inputs":
      return widerInputs(next as Record<string, string[]>, old as Record<string, string[]>);
    case "blackout":
      return undefined;
    default:
      if (Array.isArray(next)) {
        return outside((allowed, entry) => allowed === entry);
      }
      return exceeds(child.kind, next, old) ? shown(child) : undefined;
  }
}

function widerInputs(next: Record<string, string[]>, old: Record<string, string[]>): string | undefined {
  for (const [name, values] of Object.entries(next)) {
    const allowed = Object.hasOwn(old, name) ? old[name] : undefined;
    const value = allowed && values.find((value) => !allowed.includes(value));
    if (value !== undefined) {
      return `${name}=${value}`;
    }
  }
  return undefined;
}

function exceeds(kind: string, next: unknown, old: unknown): boolean {
  switch (kind) {
    case "access":
      return next === "write" && old === "read";
    case "approval":
      return next === "writes" && old === "all";
    case "not_before":
      return millis(next) < millis(old);
    case "not_after":
      return millis(next) > millis(old);
    case "uses":
      return (next as number | bigint) > (old as number | bigint);
    case "purpose":
      return byBytes(next as string, old as string) !== 0;
    case "rate": {
      const [mine, theirs] = [rateOf(next), rateOf(old)];
      const [per, most] = [BigInt(mine.calls) * BigInt(theirs.seconds), BigInt(theirs.calls) * BigInt(mine.seconds)];
      return mine.calls > theirs.calls || per > most;
    }
    case "hours":
      return exceedsHours(next as Hours, old as Hours);
    case "window": {
      const [[hours, days], [ofHours, ofDays]] = [windowBits(next as Window), windowBits(old as Window)];
      const same = (next as Window).zones.join("\n") === (old as Window).zones.join("\n");
      return same && ((hours & ~ofHours) | (days & ~ofDays)) !== 0;
    }
    case "reach":
      return exceedsReach(next as Reach, old as Reach);
    default:
      return exceedsHolder(next as Holder, old as Holder);
  }
}

function exceedsHours(next: Hours, old: Hours): boolean {
  if (next.zone !== old.zone) {
    return false;
  }
  for (let at = 0; at < 7 * 1440; at += 1) {
    const [day, minute] = [Math.floor(at / 1440), at % 1440];
    if (hold(next, day, minute) && !hold(old, day, minute)) {
      return true;
    }
  }
  return false;
}

function exceedsReach(next: Reach, old: Reach): boolean {
  const fewer = old.actions.includes("admin") || next.actions.every((action) => old.actions.includes(action));
  return !(fewer && coversResource(old.resource, next.resource));
}

/** Whether a fact contradicts the parent's; those that are not named apply as well. */
function exceedsHolder(next: Holder, old: Holder): boolean {
  const differ = (["uid", "key", "run"] as const).some(
    (name) => next[name] !== undefined && old[name] !== undefined && next[name] !== old[name],
  );
  const beside = next.cgroup !== undefined && old.cgroup !== undefined && !isAtOrBelow(next.cgroup, old.cgroup);
  return differ || beside;
}
