/** An agent for tests, in memory: no socket, no broker. It refuses what the real one refuses. */

import { secureUse, type SecureUseOptions } from "./client.js";
import { Refused } from "./errors.js";
import { Metrics } from "./metrics.js";
import { Secret } from "./types.js";
import type {
  Capability,
  CapabilityFilter,
  CapabilityList,
  CapabilityRequest,
  CapabilityResponse,
  Issue,
  Json,
  LogResponse,
  NarrowRequest,
  SecretResponse,
  UseRequest,
  UseResult,
  ValidationResult,
} from "./types.js";

const MAX_TTL = 3600;

interface Granted {
  capability: Capability & Required<Pick<Capability, "actions" | "resource" | "max_uses" | "used_count">>;
  revoked: boolean;
}

/** Grants what was allowed, denies the rest, and records each call in `calls`. It has the methods of `Client`. */
export class Mock {
  readonly metrics = new Metrics();
  readonly calls: { name: string; of: string }[] = [];
  readonly #now: () => number;
  readonly #allowed: { resource: string; action: string }[] = [];
  readonly #secrets = new Map<string, Uint8Array>();
  readonly #replies = new Map<string, UseResult>();
  readonly #granted = new Map<string, Granted>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  // === what the test says ===

  /** Grants these actions on a resource; a `*` at its end stands for anything. */
  allow(resource: string, ...actions: string[]): void {
    this.#allowed.push(...actions.map((action) => ({ resource, action })));
  }
  /** What `readSecret` answers with. */
  disclose(resource: string, value: Uint8Array): void {
    this.#secrets.set(resource, value);
  }
  /** What `use` answers with. */
  reply(integration: string, method: string, path: string, result: UseResult): void {
    this.#replies.set(`${integration} ${method} ${path}`, result);
  }

  // === what the program calls ===

  async connect(): Promise<void> {}
  close(): void {}
  async ping(): Promise<void> {
    this.#record("ping", "");
  }

  async request(request: CapabilityRequest): Promise<CapabilityResponse> {
    this.#record("request", request.resource);
    this.metrics.count("capability_requests");
    if (request.resource === "" || request.actions.length === 0) {
      throw new Refused(`${request.resource === "" ? "resource" : "actions"} cannot be empty`, "bad_request");
    }
    const response = this.#decide(request);
    this.metrics.count(response.status === "granted" ? "capability_grants" : "capability_denials");
    return response;
  }

  async validate(capability_id: string): Promise<ValidationResult> {
    this.#record("validate", capability_id);
    this.metrics.count("validation_requests");
    const problem = this.#problem(capability_id);
    this.metrics.count(problem === undefined ? "validation_success" : "validation_failures");
    return problem === undefined ? { valid: true } : { valid: false, errors: [problem] };
  }

  async revoke(capability_id: string, _reason?: string): Promise<CapabilityResponse> {
    this.#record("revoke", capability_id);
    if (!this.#granted.has(capability_id)) {
      throw new Refused("capability not found", "not_found");
    }
    const ended = new Set([capability_id]);
    for (const [id, granted] of this.#granted) {
      if (ended.has(id) || ended.has(granted.capability.parent ?? "")) {
        ended.add(id);
        granted.revoked = true;
      }
    }
    return { status: "revoked", message: "Capability revoked successfully" };
  }

  async list(filter: CapabilityFilter = {}): Promise<CapabilityList> {
    this.#record("list", "");
    const capabilities = [...this.#granted.values()]
      .filter((granted) => filter.status === undefined || filter.status === this.#status(granted))
      .map((granted) => ({ ...granted.capability }))
      .filter(({ resource }) => filter.resource === undefined || filter.resource === resource);
    return { capabilities, count: capabilities.length };
  }

  async narrow(capability_id: string, less: NarrowRequest): Promise<CapabilityResponse> {
    this.#record("narrow", capability_id);
    const problem = this.#problem(capability_id);
    const parent = this.#granted.get(capability_id)?.capability;
    if (problem !== undefined || parent === undefined) {
      throw new Refused(problem?.message ?? "", problem?.code === "CAP_NOT_FOUND" ? "not_found" : "denied");
    }
    const { actions = parent.actions, resource = parent.resource } = less;
    if (!actions.every((action) => parent.actions.includes(action)) || !covers(parent.resource, resource)) {
      throw new Refused("a narrowing can only take away", "denied");
    }
    const left = Math.floor((Date.parse(parent.expires_at) - this.#now()) / 1000);
    const most = Math.min(less.max_uses ?? parent.max_uses, parent.max_uses);
    return this.#grant({ resource, actions, ttl: Math.min(less.ttl ?? left, left), max_uses: most }, capability_id);
  }

  async use(capability_id: string, request: UseRequest): Promise<UseResult> {
    this.#record("use", capability_id);
    const { integration, method = "GET", path = "/" } = request;
    const denied = this.#consume(capability_id);
    return denied ?? this.#replies.get(`${integration} ${method} ${path}`) ?? { status: "ok", http_status: 200 };
  }

  async useTool(capability_id: string, name: string, _inputs: Json = {}): Promise<UseResult> {
    this.#record("useTool", `${capability_id} ${name}`);
    return this.#consume(capability_id) ?? { status: "ok", exit: 0 };
  }

  async readSecret(capability_id: string, resource?: string): Promise<SecretResponse> {
    this.#record("readSecret", capability_id);
    const denied = this.#consume(capability_id);
    if (denied !== undefined) {
      return denied;
    }
    const value = this.#secrets.get(resource ?? this.#granted.get(capability_id)?.capability.resource ?? "");
    if (value === undefined) {
      return { status: "denied", message: "the secret is not disclosable" };
    }
    return { status: "ok", value: new Secret(value) };
  }

  async appendLog(capability_id: string, message: string): Promise<LogResponse> {
    this.#record("appendLog", `${capability_id} ${message}`);
    return this.#consume(capability_id) ?? { status: "ok", evidence: "evd_mock" };
  }

  async secureUse<T>(
    capability_id: string,
    usage: () => Promise<T> | T,
    options: SecureUseOptions = {},
  ): Promise<T> {
    return secureUse(this, capability_id, usage, options);
  }

  // === inside ===

  #record(name: string, of: string): void {
    this.calls.push({ name, of });
  }

  #decide(request: CapabilityRequest): CapabilityResponse {
    if ((request.ttl ?? 0) > MAX_TTL) {
      const message = `Invalid request: TTL exceeds maximum allowed: ${MAX_TTL} seconds`;
      return { status: "denied", message };
    }
    const allowed = (action: string): boolean =>
      this.#allowed.some((rule) => covers(rule.resource, request.resource) && ["*", action].includes(rule.action));
    return request.actions.every(allowed)
      ? this.#grant(request)
      : { status: "denied", message: "Request denied by policy" };
  }

  #grant(request: CapabilityRequest, parent?: string): CapabilityResponse {
    const now = Math.floor(this.#now() / 1000) * 1000;
    const ttl = request.ttl || 300;
    const time = (at: number): string => new Date(at).toISOString().replace(".000Z", "Z");
    const capability = {
      id: `cap_mock${String(this.#granted.size + 1).padStart(22, "0")}`,
      expires_at: time(now + ttl * 1000),
      issued_at: time(now),
      type: request.actions[0] ?? "read",
      resource: request.resource,
      actions: [...request.actions],
      identity: request.identity ?? "mock",
      issuer: "mock",
      ttl,
      max_uses: request.max_uses || 100,
      used_count: 0,
      ...(parent === undefined ? {} : { parent }),
    };
    this.#granted.set(capability.id, { capability, revoked: false });
    return { status: "granted", message: "Capability granted successfully", capability: { ...capability } };
  }

  #status(granted: Granted): string {
    if (granted.revoked) {
      return "revoked";
    }
    return this.#now() >= Date.parse(granted.capability.expires_at) ? "expired" : "active";
  }

  #problem(capability_id: string): Issue | undefined {
    const granted = this.#granted.get(capability_id);
    if (granted === undefined) {
      return { code: "CAP_NOT_FOUND", message: "capability not found" };
    }
    const { capability } = granted;
    switch (this.#status(granted)) {
      case "revoked":
        return { code: "REVOKED", message: "the capability was revoked" };
      case "expired":
        return { code: "EXPIRED", message: `Capability expired at ${capability.expires_at}`, field: "expires_at" };
      default:
        return capability.used_count < capability.max_uses
          ? undefined
          : { code: "USAGE_LIMIT_EXCEEDED", message: "all uses are used up", field: "used_count" };
    }
  }

  /** Counts a use, for the capability and all that it was narrowed from, or for none of them. */
  #consume(capability_id: string): { status: "denied"; message: string } | undefined {
    const chain: Granted[] = [];
    for (let id: string | undefined = capability_id; id !== undefined; ) {
      const problem = this.#problem(id);
      const granted = this.#granted.get(id);
      if (problem !== undefined || granted === undefined) {
        return { status: "denied", message: problem?.message ?? "" };
      }
      chain.push(granted);
      id = granted.capability.parent;
    }
    chain.forEach((granted) => (granted.capability.used_count += 1));
    return undefined;
  }
}

function covers(pattern: string, resource: string): boolean {
  return pattern.endsWith("*") ? resource.startsWith(pattern.slice(0, -1)) : pattern === resource;
}
