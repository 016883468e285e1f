/** Counters of one client and its cache, for whatever a program exports its metrics with. */

/** The names of the counters. */
export type Counter =
  | "capability_requests"
  | "capability_grants"
  | "capability_denials"
  | "validation_requests"
  | "validation_success"
  | "validation_failures"
  | "cache_hits"
  | "cache_misses"
  | "retries"
  | "errors";

/** Counts. One may be shared by several clients. */
export class Metrics {
  readonly #counts: Record<Counter, number> = {
    capability_requests: 0,
    capability_grants: 0,
    capability_denials: 0,
    validation_requests: 0,
    validation_success: 0,
    validation_failures: 0,
    cache_hits: 0,
    cache_misses: 0,
    retries: 0,
    errors: 0,
  };
  /** Adds one. */
  count(name: Counter): void {
    this.#counts[name] += 1;
  }
  /** The counters now. */
  now(): Readonly<Record<Counter, number>> {
    return { ...this.#counts };
  }
}
