/** Capabilities kept until shortly before they end, and a keeper that asks for new ones. */

import { secureUse, type CallOptions, type SecureUseOptions, type Uses } from "./client.js";
import { Denied, DoorwardError } from "./errors.js";
import type { Metrics } from "./metrics.js";
import type { Capability, CapabilityRequest, CapabilityResponse } from "./types.js";

/** How a cache keeps house. */
export interface CacheOptions {
  /** The most that are kept, the least recently used going first; 1000. */
  size?: number;
  /** Milliseconds before its end in which one is not given out any more; 5000, and never above a tenth of its life. */
  margin?: number;
  /** The clock, in milliseconds since 1970. */
  now?: () => number;
}

/** Capabilities by key. */
export class Cache {
  readonly #size: number;
  readonly #margin: number;
  readonly #now: () => number;
  // A map keeps the order in which its keys were set, so the least recently used is the first.
  readonly #kept = new Map<string, { capability: Capability; until: number }>();

  constructor({ size = 1000, margin = 5000, now = Date.now }: CacheOptions = {}) {
    if (!(size >= 1) || !(margin >= 0)) {
      throw new RangeError("a cache has at least one place and no negative margin");
    }
    this.#size = size;
    this.#margin = margin;
    this.#now = now;
  }

  /** The capability, where there is one that doesn't end now. */
  get(key: string): Capability | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) {
      return undefined;
    }
    this.#kept.delete(key);
    if (this.#now() >= kept.until) {
      return undefined;
    }
    this.#kept.set(key, kept);
    return kept.capability;
  }

  /** Keeps one, in the place of the one before. */
  set(key: string, capability: Capability): void {
    const end = Date.parse(capability.expires_at);
    const left = end - this.#now();
    this.#kept.delete(key);
    this.#kept.set(key, { capability, until: end - Math.max(0, Math.min(this.#margin, left / 10)) });
    for (const first of this.#kept.keys()) {
      if (this.#kept.size <= this.#size) {
        break;
      }
      this.#kept.delete(first);
    }
  }

  /** Forgets a capability under every key. */
  remove(capability_id: string): void {
    for (const [key, { capability }] of this.#kept) {
      if (capability.id === capability_id) {
        this.#kept.delete(key);
      }
    }
  }

  /** Forgets what is over; how many that were. */
  sweep(): number {
    const before = this.#kept.size;
    for (const [key, { until }] of this.#kept) {
      if (this.#now() >= until) {
        this.#kept.delete(key);
      }
    }
    return before - this.#kept.size;
  }

  /** Takes all of them out. */
  drain(): Capability[] {
    const all = [...this.#kept.values()].map(({ capability }) => capability);
    this.#kept.clear();
    return all;
  }

  /** How many are kept. */
  get size(): number {
    return this.#kept.size;
  }
}

/** What the keeper needs of a client: `Client` has it, and `Mock`. */
export interface Asks extends Uses {
  readonly metrics: Metrics;
  request(request: CapabilityRequest, options?: CallOptions): Promise<CapabilityResponse>;
}

/** How a manager keeps house. */
export interface ManagerOptions {
  cache?: Cache;
  /** Milliseconds between two cleanings; a minute. */
  sweepEvery?: number;
  /** Revokes what is still kept when the manager is closed. */
  revokeOnClose?: boolean;
}

/** Gives out capabilities from a cache, and asks for new ones. Calls that want the same one at once ask once. */
export class Manager {
  readonly #client: Asks;
  readonly #cache: Cache;
  readonly #revoke: boolean;
  readonly #asking = new Map<string, Promise<Capability>>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(client: Asks, { cache = new Cache(), sweepEvery = 60_000, revokeOnClose = false }: ManagerOptions = {}) {
    this.#client = client;
    this.#cache = cache;
    this.#revoke = revokeOnClose;
    this.#sweeper = setInterval(() => this.#cache.sweep(), sweepEvery);
    // Cleaning up doesn't keep a program from ending.
    this.#sweeper.unref();
  }

  /** A capability from the cache or a new one; `Denied` where the policy says no. It is shared: leave it as it is. */
  async get(request: CapabilityRequest): Promise<Capability> {
    const key = keyOf(request);
    const kept = this.#cache.get(key);
    const asking = this.#asking.get(key);
    this.#client.metrics.count(kept || asking ? "cache_hits" : "cache_misses");
    if (kept !== undefined) {
      return kept;
    }
    if (asking !== undefined) {
      return asking;
    }
    const asked = this.#ask(key, request).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  /** Gets a capability, validates it, and awaits `usage` with it. One that fails is forgotten. */
  async use<T>(
    request: CapabilityRequest,
    usage: (capability: Capability) => Promise<T> | T,
    options: SecureUseOptions = {},
  ): Promise<T> {
    const capability = await this.get(request);
    try {
      return await secureUse(this.#client, capability.id, () => usage(capability), options);
    } catch (error) {
      this.#cache.remove(capability.id);
      throw error;
    } finally {
      if (options.revoke) {
        this.#cache.remove(capability.id);
      }
    }
  }

  /** Ends one, here and at the agent. */
  async revoke(capability_id: string, reason?: string): Promise<void> {
    this.#cache.remove(capability_id);
    await this.#client.revoke(capability_id, reason);
  }

  /** Stops cleaning, and revokes where that was asked for. What the agent can't be told ends by itself. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    for (const { id } of this.#cache.drain()) {
      if (this.#revoke) {
        await this.#client.revoke(id, "the program has ended").catch((error: unknown) => {
          if (!(error instanceof DoorwardError)) {
            throw error;
          }
        });
      }
    }
  }

  async #ask(key: string, request: CapabilityRequest): Promise<Capability> {
    const response = await this.#client.request(request);
    if (response.status !== "granted" || response.capability === undefined) {
      throw new Denied(response);
    }
    this.#cache.set(key, response.capability);
    return response.capability;
  }
}

/** The same for requests that ask for the same. */
function keyOf(request: CapabilityRequest): string {
  const sorted = { ...request, actions: [...request.actions].sort() };
  return JSON.stringify(Object.entries(sorted).sort(([a], [b]) => (a < b ? -1 : 1)));
}
