// A thin client: one call an operation, typed by the API's document; problems as errors; pages as an iterator.
import { OPERATIONS, type Operations, type Problem } from "./operations.js";

/** How a client reaches the API, and as whom. */
export interface Options {
  /** Where the API is; `http://127.0.0.1:8000` where nobody says. */
  baseUrl?: string;
  /** A key of the API, or a capability. */
  apiKey: string;
  /** Longest time for a call, in milliseconds; 30,000 where nobody says. */
  timeout?: number;
  /** Another `fetch`. */
  fetch?: typeof fetch;
}

/** What the API refused, or that it did not answer. Never what was sent. */
export class ApiError extends Error {
  /** The status; 0 where there was no answer. */
  readonly status: number;
  /** The word for it, such as `not_found`; `unreachable` and `timeout` where there was no answer. */
  readonly code: string;
  /** What to do. */
  readonly hint: string | undefined;
  /** The record of it. */
  readonly evidence: string | undefined;
  /** The fields that are wrong. */
  readonly errors: NonNullable<Problem["errors"]>;
  /** After how many seconds it may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Partial<Problem> & { code: string; detail: string }) {
    super(problem.detail);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code;
    this.hint = problem.hint;
    this.evidence = problem.evidence;
    this.errors = problem.errors ?? [];
    this.retryAfter = problem.retry_after;
  }
}

/** A key without what stands around it in a file. What no header can carry is refused here: what a runtime says of it would have the key in it. */
function sendable(key: string): string {
  const bare = key.trim();
  if (/^[!-~]+$/.test(bare)) return bare;
  throw new TypeError("the API key has characters that no key has, or is empty; it is not shown here");
}

type Name = keyof Operations;
type Takes<K extends Name> = Operations[K]["takes"];
type Gives<K extends Name> = Operations[K]["gives"];
type Lists = { [K in Name]: Gives<K> extends { items: Array<unknown>; next: string | null } ? K : never }[Name];
type Item<K extends Lists> = Gives<K> extends { items: Array<infer I> } ? I : never;

/** A caller of the API. */
export class Client {
  readonly #base: string;
  readonly #key: string;
  readonly #timeout: number;
  readonly #fetch: typeof fetch;

  constructor(options: Options) {
    this.#base = (options.baseUrl ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
    this.#key = sendable(options.apiKey);
    this.#timeout = options.timeout ?? 30_000;
    this.#fetch = options.fetch ?? fetch;
  }

  /** Performs one operation. What it takes in the path, the query, the head and the body is given by name. */
  async call<K extends Name>(name: K, takes: Takes<K>, once?: string): Promise<Gives<K>> {
    const { method, path, query, head } = OPERATIONS[name];
    const rest: Record<string, unknown> = { ...(takes as Record<string, unknown>) };
    const taken = (word: string): unknown => {
      const value = rest[word];
      delete rest[word];
      return value;
    };
    const target = path.replace(/\{(\w+)\}/g, (_, word: string) => encodeURIComponent(String(taken(word))));
    const words = new URLSearchParams();
    for (const word of query) {
      const value = taken(word);
      if (value !== undefined) words.set(word, String(value));
    }
    const headers: Record<string, string> = { authorization: `Bearer ${this.#key}`, accept: "application/json" };
    for (const word of head) {
      const value = taken(word);
      if (value !== undefined) headers[word] = String(value);
    }
    if (once !== undefined) headers["Idempotency-Key"] = once;
    const init: RequestInit = { method, headers, redirect: "error", signal: AbortSignal.timeout(this.#timeout) };
    if (Object.keys(rest).length > 0) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(rest);
    }
    const search = words.size > 0 ? `?${words}` : "";
    return this.#answered(await this.#sent(this.#base + target + search, init));
  }

  /** Every item of a list, page by page. */
  async *all<K extends Lists>(name: K, takes: Takes<K>): AsyncGenerator<Item<K>> {
    let cursor: string | null = null;
    do {
      const page = (await this.call(name, (cursor === null ? takes : { ...takes, cursor }) as Takes<K>)) as {
        items: Array<Item<K>>;
        next: string | null;
      };
      yield* page.items;
      cursor = page.next;
    } while (cursor !== null);
  }

  async #sent(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(url, init);
    } catch (error) {
      const late = error instanceof Error && error.name === "TimeoutError";
      const detail = late ? "the API did not answer in time" : "the API can't be reached";
      throw new ApiError(0, { code: late ? "timeout" : "unreachable", detail });
    }
  }

  async #answered<T>(reply: Response): Promise<T> {
    if (reply.status === 204) return undefined as T;
    const json = /\bjson\b/.test(reply.headers.get("content-type") ?? "");
    const lines = reply.headers.get("content-type") === "application/jsonl";
    const said: unknown = json && !lines ? await reply.json() : await reply.text();
    if (reply.ok) return said as T;
    const problem = typeof said === "object" && said !== null ? (said as Partial<Problem>) : {};
    const { code = "unknown", detail = `the API answered with ${reply.status}` } = problem;
    throw new ApiError(reply.status, { ...problem, code, detail });
  }
}
