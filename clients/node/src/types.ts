/** What is asked of an agent and what it answers. The names are those of the protocol. */

import { timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/** A JSON object. */
export type Json = Record<string, unknown>;

/** A secret, or a token: neither printed nor written as JSON. */
export class Secret {
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  /** The bytes. */
  expose(): Uint8Array {
    return this.#bytes;
  }
  /** The bytes as UTF-8. */
  text(): string {
    return new TextDecoder("utf-8", { fatal: true }).decode(this.#bytes);
  }
  /** Whether both are the same, in a time that tells nothing. */
  equals(other: Secret): boolean {
    return this.#bytes.length === other.#bytes.length && timingSafeEqual(this.#bytes, other.#bytes);
  }
  toString(): string {
    return "[secret]";
  }
  toJSON(): never {
    throw new TypeError("a secret is not written as JSON; use expose()");
  }
  [inspect.custom](): string {
    return "[secret]";
  }
}

/** Asks for a capability. What is left out is up to the agent. */
export interface CapabilityRequest {
  /** Such as `secret:/db/primary`, `op:/slack/chat.post`, `log:/app` or `tool:/deploy`. */
  resource: string;
  /** `read`, `write`, `delete`, `execute` or `admin`. Each of them has to be allowed. */
  actions: readonly string[];
  /** Life in seconds. */
  ttl?: number;
  max_uses?: number;
  /** A wish; who asks is proven by the kernel. */
  identity?: string;
  purpose?: string;
  constraints?: Json;
  context?: Json;
  /** A token besides the name, which works for whoever has it. */
  bearer?: boolean;
  /** What the name is bound to. */
  holder?: "uid" | "cgroup" | "session";
}

/** What a child allows less than its parent. */
export interface NarrowRequest {
  actions?: readonly string[];
  resource?: string;
  ttl?: number;
  max_uses?: number;
  constraints?: Json;
  purpose?: string;
  bearer?: boolean;
}

/** A capability. Its id is a name that works for its holder only. */
export interface Capability {
  id: string;
  /** `YYYY-MM-DDTHH:MM:SSZ`. */
  expires_at: string;
  type?: string;
  resource?: string;
  actions?: string[];
  identity?: string;
  issuer?: string;
  issued_at?: string;
  ttl?: number;
  max_uses?: number;
  used_count?: number;
  /** What it was narrowed from. */
  parent?: string;
  /** There where a bearer was asked for. */
  token?: Secret;
  constraints?: Json;
  metadata?: Json;
}

/** The answer to a request. Look at `status` first. */
export interface CapabilityResponse {
  status: "granted" | "denied" | "revoked" | "error" | (string & {});
  message?: string;
  capability?: Capability;
  request_id?: string;
  processing_time?: string;
  policy_result?: { decision?: string; applied_policies?: string[]; applied_rules?: string[]; reasoning?: string };
  issues?: Issue[];
}

/** An error or a warning, such as `EXPIRED`. */
export interface Issue {
  code: string;
  message?: string;
  field?: string;
  severity?: string;
  details?: unknown;
}

/** Whether a capability is valid now. Asking consumes nothing. */
export interface ValidationResult {
  valid: boolean;
  errors?: Issue[];
  warnings?: Issue[];
  validation_time?: string;
  context?: Json;
}

/** Chooses among capabilities. */
export interface CapabilityFilter {
  identity?: string;
  resource?: string;
  type?: string;
  status?: "active" | "expired" | "revoked";
  issuer?: string;
  limit?: number;
  offset?: number;
  sortBy?: string;
  sortOrder?: string;
}

/** One page of capabilities. */
export interface CapabilityList {
  capabilities: Capability[];
  count: number;
  limit?: number;
  offset?: number;
}

/** A request to an integration, whose credential the agent puts on it. */
export interface UseRequest {
  integration: string;
  /** `GET` where left out. */
  method?: string;
  /** `/` where left out. */
  path?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Asked for where the capability has several. */
  action?: string;
}

/** The reply of the service, or of the tool. `bodyOf` has the bytes of its body. */
export interface UseResult {
  status: "ok" | "denied" | "error" | (string & {});
  message?: string;
  http_status?: number;
  headers?: Record<string, string>;
  body?: string;
  body_base64?: string;
  exit?: number;
  stdout?: string;
  stderr?: string;
  evidence?: string;
  uses_left?: number;
}

/** A disclosed secret, or why there is none. */
export interface SecretResponse {
  status: string;
  value?: Secret;
  message?: string;
  evidence?: string;
}

/** That a line is in the evidence, and under which id. */
export interface LogResponse {
  status: string;
  message?: string;
  evidence?: string;
}

/** The bytes of a reply's body. */
export function bodyOf(result: UseResult): Uint8Array {
  return result.body_base64 === undefined ? Buffer.from(result.body ?? "") : Buffer.from(result.body_base64, "base64");
}

/** Whether the end of a capability has come, by the clock of this machine. */
export function isExpired(capability: Capability, now: number = Date.now()): boolean {
  return now >= Date.parse(capability.expires_at);
}
