/** The client: calls, retries, and the connections that they share. */

import { Connection } from "./connection.js";
import { ConnectionLost, NotValid, OutcomeUnknown, Refused, TimedOut, Unreachable } from "./errors.js";
import { Metrics } from "./metrics.js";
import type {
  CapabilityFilter,
  CapabilityList,
  CapabilityRequest,
  CapabilityResponse,
  Json,
  LogResponse,
  NarrowRequest,
  SecretResponse,
  UseRequest,
  UseResult,
  ValidationResult,
} from "./types.js";
import * as wire from "./wire.js";

/** When a call is made again that was not sent, or that changes nothing. */
export interface Retry {
  /** In all; 3. With 1 nothing is made again. */
  attempts?: number;
  /** The longest wait before the second attempt in milliseconds; 100. It doubles with each attempt. */
  first?: number;
  /** The longest wait between two attempts in milliseconds; 2000. */
  longest?: number;
}

/** Where the agent is and how patient the client is. */
export interface ClientOptions {
  /** Without it `VAULT_AGENT_SOCKET_PATH` says where; then the home and `/var/run/vault/agent.sock` are looked at. */
  socketPath?: string;
  /** For a whole call in milliseconds, its retries included; 30000. */
  timeout?: number;
  retry?: Retry;
  /** Connections that are open at the same time; 8. */
  maxConnections?: number;
  metrics?: Metrics;
}

/** What every call takes besides its own arguments. */
export interface CallOptions {
  /** Gives the call up. A use that was sent by then ends as `OutcomeUnknown`. */
  signal?: AbortSignal;
}

/** What `secureUse` takes. */
export interface SecureUseOptions extends CallOptions {
  /** Revokes the capability afterwards: also when the use fails. */
  revoke?: boolean;
  reason?: string;
}

interface Attempt {
  began: boolean;
  /** Whether nobody waits for it any more, so that nothing may be sent. */
  over: boolean;
  connection: Connection | undefined;
}

/** Speaks with an agent. */
export class Client {
  readonly metrics: Metrics;
  readonly #path: string | undefined;
  readonly #timeout: number;
  readonly #retry: Required<Retry>;
  readonly #most: number;
  #open = 0;
  #idle: Connection[] = [];
  #queue: (() => void)[] = [];

  constructor(options: ClientOptions = {}) {
    this.metrics = options.metrics ?? new Metrics();
    this.#path = options.socketPath;
    this.#timeout = options.timeout ?? 30_000;
    this.#retry = { attempts: 3, first: 100, longest: 2000, ...options.retry };
    this.#most = options.maxConnections ?? 8;
    if (!(this.#timeout > 0) || !(this.#most >= 1)) {
      throw new RangeError("timeout and maxConnections are above zero");
    }
  }

  // === calls ===

  /** Opens a first connection, so that a wrong path is noticed now. Every call connects by itself otherwise. */
  async connect(options: CallOptions = {}): Promise<void> {
    await this.#bounded(true, options.signal, async () => {
      this.#idle.push(await Connection.open(wire.socketPath(this.#path, process.env)));
    });
  }

  /** Asks for a capability. A denial is an answer with the status `denied`, not an exception. */
  async request(request: CapabilityRequest, options?: CallOptions): Promise<CapabilityResponse> {
    this.metrics.count("capability_requests");
    // A lost answer leaves a capability that nobody knows and that expires by itself, so this may be sent again.
    const response = await this.#run(
      call("capability_request", { ...request }, "capability_response", wire.readCapability, true),
      options,
    );
    this.metrics.count(response.status === "granted" ? "capability_grants" : "capability_denials");
    return response;
  }

  /** Whether it is valid now. Consumes nothing. */
  async validate(capability_id: string, context?: Json, options?: CallOptions): Promise<ValidationResult> {
    this.metrics.count("validation_requests");
    const payload = given({ capability_id, context });
    const result = await this.#run(
      call("capability_validate", payload, "validation_response", wire.readValidation, true),
      options,
    );
    this.metrics.count(result.valid ? "validation_success" : "validation_failures");
    return result;
  }

  /** Ends it, and all that was narrowed from it. */
  async revoke(capability_id: string, reason?: string, options?: CallOptions): Promise<CapabilityResponse> {
    const payload = given({ capability_id, reason });
    return this.#run(
      call("capability_revoke", payload, "capability_response", wire.readCapability, false),
      options,
    );
  }

  /** Capabilities that a filter chooses. */
  async list(filter: CapabilityFilter = {}, options?: CallOptions): Promise<CapabilityList> {
    return this.#run(call("capability_list", { filter }, "capability_response", wire.readList, true), options);
  }

  /** A child that allows less. For tokens there is `Token`, which needs no agent. */
  async narrow(capability_id: string, less: NarrowRequest, options?: CallOptions): Promise<CapabilityResponse> {
    const payload = { ...less, capability_id };
    return this.#run(
      call("capability_narrow", payload, "capability_response", wire.readCapability, true),
      options,
    );
  }

  /** Sends a request with the credential of an integration put on it; this program never has the credential. */
  async use(capability_id: string, request: UseRequest, options?: CallOptions): Promise<UseResult> {
    const { action, body, integration, method = "GET", path = "/", headers } = request;
    const bytes = body instanceof Uint8Array ? { body_base64: Buffer.from(body).toString("base64") } : { body };
    const written = given({ integration, method, path, headers, ...bytes });
    const payload = given({ capability_id, action, request: written });
    return this.#run(call("capability_use", payload, "use_response", wire.readUse, false), options);
  }

  /** Runs a tool that the owner declared. */
  async useTool(capability_id: string, name: string, inputs: Json = {}, options?: CallOptions): Promise<UseResult> {
    const payload = { capability_id, tool: { name, inputs } };
    return this.#run(call("capability_use", payload, "use_response", wire.readUse, false), options);
  }

  /** The secret itself, where it was stored as disclosable and policy allows that. */
  async readSecret(capability_id: string, resource?: string, options?: CallOptions): Promise<SecretResponse> {
    const payload = given({ capability_id, resource });
    return this.#run(call("secret_read", payload, "secret_response", wire.readSecret, false), options);
  }

  /** Appends a line to an evidence stream. */
  async appendLog(
    capability_id: string,
    message: string,
    fields?: Json,
    options?: CallOptions & { resource?: string },
  ): Promise<LogResponse> {
    const payload = given({ capability_id, message, fields, resource: options?.resource });
    return this.#run(call("log_append", payload, "log_response", wire.readLog, false), options);
  }

  /** The agent's server: its socket, connections and uptime. */
  async status(options?: CallOptions): Promise<Json> {
    return this.#run(call("status_request", {}, "status_response", wire.readAny, true), options);
  }

  /** All that the agent says about itself. */
  async agentStatus(options?: CallOptions): Promise<Json> {
    return this.#run(call("agent_status", {}, "agent_status_response", wire.readAny, true), options);
  }

  /** Whether an agent answers. */
  async ping(options?: CallOptions): Promise<void> {
    await this.#run(call("ping_request", {}, "ping_response", wire.readAny, true), options);
  }

  /** Validates, awaits `usage`, and revokes afterwards where asked to. */
  async secureUse<T>(
    capability_id: string,
    usage: () => Promise<T> | T,
    options: SecureUseOptions = {},
  ): Promise<T> {
    return secureUse(this, capability_id, usage, options);
  }

  // === life ===

  /** Closes the idle connections. The client may be used again. */
  close(): void {
    const idle = this.#idle;
    this.#idle = [];
    idle.forEach((connection) => connection.close());
  }

  // === how a call is made ===

  async #run<T>(made: wire.Call<T>, options: CallOptions = {}): Promise<T> {
    try {
      const { id, line } = wire.message(made);
      return await this.#bounded(made.repeatable, options.signal, (attempt) => this.#once(made, id, line, attempt));
    } catch (error) {
      this.metrics.count("errors");
      throw error;
    }
  }

  /** Runs attempts until one succeeds or the time is over. */
  async #bounded<T>(
    repeatable: boolean,
    signal: AbortSignal | undefined,
    work: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    const attempt: Attempt = { began: false, over: false, connection: undefined };
    const ended = new AbortController();
    return new Promise<T>((resolve, reject) => {
      const giveUp = (why: unknown): void => {
        reject(attempt.began && !repeatable ? unknown(why) : why);
        // What is under way must not answer a later call.
        attempt.over = true;
        attempt.connection?.close();
        ended.abort();
      };
      const late = (): void => giveUp(new TimedOut("timeout: the agent did not answer in time"));
      const timer = setTimeout(late, this.#timeout);
      // As everywhere in Node: what the signal says, which is an `AbortError` where nobody said anything else.
      const aborted = (): void => giveUp(signal?.reason);
      if (signal?.aborted) {
        aborted();
      }
      signal?.addEventListener("abort", aborted, { once: true });
      this.#attempts(repeatable, attempt, ended.signal, work)
        .then(resolve, reject)
        .finally(() => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", aborted);
        });
    });
  }

  async #attempts<T>(
    repeatable: boolean,
    attempt: Attempt,
    ended: AbortSignal,
    work: (attempt: Attempt) => Promise<T>,
  ): Promise<T> {
    for (let number = 0; ; number += 1) {
      attempt.began = false;
      try {
        if (attempt.over) {
          throw new TimedOut("the call was given up");
        }
        return await work(attempt);
      } catch (error) {
        if (error instanceof ConnectionLost && attempt.began && !repeatable) {
          throw unknown(error);
        }
        if (number + 1 >= this.#retry.attempts || !mayGoAgain(error)) {
          throw error;
        }
      }
      attempt.began = false;
      this.metrics.count("retries");
      const whole = Math.min(this.#retry.longest, this.#retry.first * 2 ** number);
      // Between half of it and the whole, so that many programs don't come back at one moment.
      await pause(whole * (0.5 + Math.random() / 2), ended);
    }
  }

  async #once<T>(made: wire.Call<T>, id: string, line: string, attempt: Attempt): Promise<T> {
    await this.#enter();
    let connection: Connection | undefined;
    try {
      connection = (await this.#quiet()) ?? (await Connection.open(wire.socketPath(this.#path, process.env)));
      if (attempt.over) {
        throw new TimedOut("the call was given up");
      }
      attempt.connection = connection;
      const answer = await connection.exchange(line, () => {
        attempt.began = true;
      });
      const result = wire.result(made, id, answer);
      this.#idle.push(connection);
      return result;
    } catch (error) {
      if (error instanceof Refused && connection !== undefined) {
        // A refusal is a whole answer, so the next one is that to the next message.
        this.#idle.push(connection);
      } else {
        connection?.close();
      }
      throw error;
    } finally {
      attempt.connection = undefined;
      this.#leave();
    }
  }

  async #quiet(): Promise<Connection | undefined> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (await idle.isQuiet()) {
        return idle;
      }
      idle.close();
    }
    return undefined;
  }

  async #enter(): Promise<void> {
    if (this.#open < this.#most) {
      this.#open += 1;
      return;
    }
    // Whoever leaves hands over its place.
    await new Promise<void>((turn) => this.#queue.push(turn));
  }

  #leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) {
      this.#open -= 1;
    } else {
      next();
    }
  }
}

/** What `secureUse` needs of a client. */
export interface Uses {
  validate(capability_id: string, context?: Json, options?: CallOptions): Promise<ValidationResult>;
  revoke(capability_id: string, reason?: string): Promise<unknown>;
}

/** Validates, awaits `usage`, and revokes afterwards where asked to: also when the use fails. */
export async function secureUse<T>(
  agent: Uses,
  capability_id: string,
  usage: () => Promise<T> | T,
  options: SecureUseOptions = {},
): Promise<T> {
  const { revoke = false, reason = "Used successfully", ...rest } = options;
  const result = await agent.validate(capability_id, undefined, rest);
  if (!result.valid) {
    throw new NotValid(result);
  }
  try {
    return await usage();
  } finally {
    if (revoke) {
      await agent.revoke(capability_id, reason);
    }
  }
}

function call<T>(
  type: string,
  payload: Json,
  answer: string,
  read: (payload: Json) => T,
  repeatable: boolean,
): wire.Call<T> {
  return { type, payload, answer, read, repeatable };
}

/** Those that are not undefined. */
function given(values: Json): Json {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function mayGoAgain(error: unknown): boolean {
  if (error instanceof Unreachable) {
    return !error.lasting;
  }
  // A refusal for too many calls: nothing was done, and in a moment it may be.
  return error instanceof ConnectionLost || (error instanceof Refused && error.code === "rate_limited");
}

function unknown(cause: unknown): OutcomeUnknown {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new OutcomeUnknown(`the outcome is unknown: ${why}`, { cause });
}

async function pause(milliseconds: number, ended: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      clearTimeout(timer);
      ended.removeEventListener("abort", done);
      resolve();
    }
    ended.addEventListener("abort", done);
  });
}
