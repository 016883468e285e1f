/** The protocol without any socket: what is sent for a call, what may come back, and where the agent may be. */

import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DoorwardError, OutcomeUnknown, ProtocolError, Refused, TooLarge } from "./errors.js";
import { Secret } from "./types.js";
import type {
  Capability,
  CapabilityList,
  CapabilityResponse,
  Json,
  LogResponse,
  SecretResponse,
  UseResult,
  ValidationResult,
} from "./types.js";

/** The longest message in either direction, its newline included. */
export const FRAME = 1024 * 1024;
/** Where the agent of a whole machine listens. */
export const SYSTEM_SOCKET = "/var/run/vault/agent.sock";

/** One call: its message, the type of its answer, how that is read, and whether the call may be sent twice. */
export interface Call<T> {
  type: string;
  payload: Json;
  answer: string;
  read: (payload: Json) => T;
  /** It changes nothing, or what it makes expires by itself. */
  repeatable: boolean;
}

/** The line that is sent, and its id. */
export function message<T>(call: Call<T>): { id: string; line: string } {
  const id = `msg_${randomBytes(12).toString("hex")}`;
  const timestamp = new Date().toISOString();
  const line = `${JSON.stringify({ version: "1.0", type: call.type, id, timestamp, payload: call.payload })}\n`;
  const bytes = Buffer.byteLength(line);
  if (bytes > FRAME) {
    throw new TooLarge(`the message has ${bytes} bytes; the agent takes at most ${FRAME}`);
  }
  return { id, line };
}

/** Reads the line that came back. */
export function result<T>(call: Call<T>, id: string, line: Buffer): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    throw new ProtocolError("the agent's answer is not JSON");
  }
  const answer = object(parsed, "an envelope");
  const unread = answer["type"] === "error_response" && (answer["id"] === "" || answer["id"] == null);
  // A message that the agent could not read has no id that it could answer with.
  if (answer["id"] !== id && !unread) {
    throw new ProtocolError("the agent answered another message");
  }
  if (answer["version"] !== "1.0") {
    throw new ProtocolError(`the agent speaks version ${String(answer["version"])} of the protocol, not 1.0`);
  }
  if (answer["type"] === "error_response") {
    throw refusal(object(answer["payload"], "an error"));
  }
  if (answer["type"] !== call.answer) {
    throw new ProtocolError(
      `the agent answered with \`${String(answer["type"])}\` where \`${call.answer}\` was expected`,
    );
  }
  return call.read(object(answer["payload"], "an answer"));
}

function refusal(payload: Json): DoorwardError {
  const said = (key: string): string => (typeof payload[key] === "string" ? payload[key] : "");
  if (said("code") === "outcome_unknown") {
    // The agent itself gave up waiting for what it had begun.
    return new OutcomeUnknown(`the outcome is unknown: ${said("error")}`);
  }
  return new Refused(said("error") || "refused without a reason", said("code"), said("hint"), said("evidence"));
}

/** Where an agent is now: as given, by `VAULT_AGENT_SOCKET_PATH`, in the home, or of the whole machine. */
export function socketPath(given: string | undefined, environment: NodeJS.ProcessEnv): string {
  const named = given ?? environment["VAULT_AGENT_SOCKET_PATH"];
  if (named) {
    return named;
  }
  const isSocket = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
  return socketPlaces(environment).find(isSocket) ?? SYSTEM_SOCKET;
}

/** Where an agent may be, the first one first. */
export function socketPlaces(environment: NodeJS.ProcessEnv): string[] {
  const { DOORWARD_HOME: own, XDG_DATA_HOME: data, HOME: home } = environment;
  const places: string[] = [];
  if (own) {
    places.push(join(own, "socket"));
  } else if (data) {
    places.push(join(data, "doorward", "socket"));
  } else if (home) {
    places.push(join(home, ".local", "share", "doorward", "socket"));
  }
  if (home) {
    places.push(join(home, ".aether-vault", "agent.sock"));
  }
  return [...places, SYSTEM_SOCKET];
}

// === readers ===

function object(value: unknown, what: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ProtocolError(`the agent answered with something else than ${what}`);
  }
  return value as Json;
}

function text(from: Json, key: string): string {
  const value = from[key];
  if (typeof value !== "string" || value === "") {
    throw new ProtocolError(`the agent's answer has no \`${key}\``);
  }
  return value;
}

function capability(value: unknown): Capability {
  const raw = object(value, "a capability");
  text(raw, "id");
  if (Number.isNaN(Date.parse(text(raw, "expires_at")))) {
    throw new ProtocolError("`expires_at` of the agent's answer is no time");
  }
  const { token, ...rest } = raw;
  const bearer = typeof token === "string" ? { token: new Secret(Buffer.from(token)) } : {};
  return { ...rest, ...bearer } as unknown as Capability;
}

/** Reads the answer to a request, a narrowing or a revocation. */
export function readCapability(payload: Json): CapabilityResponse {
  const status = text(payload, "status");
  const there = payload["capability"] != null || status === "granted";
  const { capability: raw, ...rest } = payload;
  const read = there ? { capability: capability(raw) } : {};
  return { ...rest, ...read } as unknown as CapabilityResponse;
}

/** Reads the answer to a validation. */
export function readValidation(payload: Json): ValidationResult {
  if (typeof payload["valid"] !== "boolean") {
    throw new ProtocolError("the agent's answer has no `valid`");
  }
  return payload as unknown as ValidationResult;
}

/** Reads a list. */
export function readList(payload: Json): CapabilityList {
  const listed = payload["capabilities"];
  if (!Array.isArray(listed)) {
    throw new ProtocolError("the agent's answer has no `capabilities`");
  }
  return { ...payload, capabilities: listed.map(capability) } as unknown as CapabilityList;
}

/** Reads the answer to a use. */
export function readUse(payload: Json): UseResult {
  text(payload, "status");
  return payload as unknown as UseResult;
}

/** Reads a disclosed secret. */
export function readSecret(payload: Json): SecretResponse {
  text(payload, "status");
  const { value, value_base64: coded, ...rest } = payload;
  if (typeof coded === "string") {
    return { ...rest, value: new Secret(Buffer.from(coded, "base64")) } as unknown as SecretResponse;
  }
  const plain = typeof value === "string" ? { value: new Secret(Buffer.from(value)) } : {};
  return { ...rest, ...plain } as unknown as SecretResponse;
}

/** Reads the answer to a line for the log. */
export function readLog(payload: Json): LogResponse {
  text(payload, "status");
  return payload as unknown as LogResponse;
}

/** Reads any object. */
export function readAny(payload: Json): Json {
  return payload;
}
