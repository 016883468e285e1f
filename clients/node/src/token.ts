/**
 * Capability tokens (`cap1_…`) in process: read, narrow, check. Needs no key, no agent and no network.
 *
 * Reading a token proves nothing about who made it: only the broker has the key for that. What this module can say is
 * what a token allows, so that a program notices a call that must fail before it makes it, and hands on less than it has.
 */

import { createHmac, randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { Reader, crc32, u16, u32 } from "./bytes.js";
import { canonical, malformed, readCaveat, ulid } from "./caveat.js";
import type { Canonical, Caveat } from "./caveat.js";
import { broken, wider } from "./check.js";
import type { Broken, Facts } from "./check.js";
import { TokenError } from "./errors.js";
import { isLabel } from "./names.js";

const PREFIX = "cap1_";
const [LONGEST, BLOCKS, CAVEATS] = [8192, 32, 64];

/** One narrowing: its id, which a revocation may name, and what it takes away. */
export interface Block {
  narrowing: string;
  caveats: Caveat[];
}

/** A capability in the hands of its holder. Whoever has the text may use it, so it is not printed. */
export class Token {
  readonly tenant: string;
  readonly grant: string;
  readonly blocks: readonly Block[];
  readonly #text: string;
  readonly #signed: Buffer;
  readonly #tag: Buffer;
  readonly #caveats: readonly Canonical[];

  private constructor(text: string, body: Buffer) {
    if (body.length < 32) {
      throw malformed("it is too short");
    }
    this.#text = text;
    this.#signed = body.subarray(0, -32);
    this.#tag = body.subarray(-32);
    const reader = new Reader(this.#signed);
    this.tenant = reader.take(reader.u8()).toString("latin1");
    if (!isLabel(this.tenant)) {
      throw malformed("the tenant");
    }
    this.grant = ulid("grt_", reader.take(16));
    const blocks: { narrowing: string; caveats: Canonical[] }[] = [];
    while (reader.rest.length > 0) {
      if (blocks.length === BLOCKS) {
        throw new TokenError("a capability cannot hold more than 32 narrowings");
      }
      const block = readBlock(reader.take(reader.u16()));
      if (blocks.some((other) => other.narrowing === block.narrowing)) {
        throw malformed("a narrowing comes twice");
      }
      blocks.push(block);
    }
    if (blocks.length === 0) {
      throw malformed("it has no block");
    }
    this.#caveats = blocks.flatMap((block) => block.caveats);
    const written = ({ kind, value }: Canonical): Caveat => ({ [kind]: value }) as unknown as Caveat;
    this.blocks = blocks.map(({ narrowing, caveats }) => ({ narrowing, caveats: caveats.map(written) }));
  }

  /** Reads a token. There is one spelling of each; every other text is refused with a `TokenError`. */
  static parse(text: string): Token {
    if (Buffer.byteLength(text) > LONGEST) {
      throw new TokenError("a capability cannot hold more than 8 KiB");
    }
    if (!text.startsWith(PREFIX)) {
      throw malformed("it does not start with `cap1_`");
    }
    if (text.length < PREFIX.length + 7) {
      throw malformed("it is too short");
    }
    const [coded, tail] = [text.slice(0, -7), text.slice(-7)];
    if (tail !== `_${checksum(coded)}`) {
      throw new TokenError("the capability was mistyped or cut off");
    }
    const body = Buffer.from(coded.slice(PREFIX.length), "base64url");
    // The decoder skips what it doesn't know, which would be a second spelling.
    if (body.toString("base64url") !== coded.slice(PREFIX.length)) {
      throw malformed("it is not canonical base 64");
    }
    return new Token(text, body);
  }

  /**
   * The same capability with less: these caveats as well. A caveat that is plainly wider than one that it comes from is
   * refused, because somebody believes to give more. `id` is 16 bytes that name the narrowing; fresh ones where left out.
   */
  narrow(caveats: readonly Caveat[], id: Uint8Array = fresh()): Token {
    const less = caveats.map(canonical);
    for (const caveat of less) {
      for (const parent of this.#caveats) {
        const what = wider(caveat, parent);
        if (what !== undefined) {
          throw new TokenError(`\`${what}\` is wider than the grant it comes from`);
        }
      }
    }
    if (id.length !== 16) {
      throw new TokenError("the id of a narrowing has 16 bytes");
    }
    const coded = less.map((caveat) => caveat.encoded).sort(Buffer.compare);
    const distinct = coded.filter((bytes, at) => at === 0 || !bytes.equals(coded[at - 1] ?? Buffer.alloc(0)));
    if (distinct.length > CAVEATS) {
      throw new TokenError("a capability cannot hold more than 64 caveats in one narrowing");
    }
    const content = Buffer.concat([id, Buffer.from([distinct.length]), ...distinct]);
    const block = Buffer.concat([u16(content.length), content]);
    const tag = createHmac("sha256", this.#tag).update(block).digest();
    const body = Buffer.concat([this.#signed, block, tag]);
    const text = PREFIX + body.toString("base64url");
    const whole = `${text}_${checksum(text)}`;
    if (whole.length > LONGEST) {
      throw new TokenError("a capability cannot hold more than 8 KiB");
    }
    return new Token(whole, body);
  }

  /** Every caveat that a call with these facts breaks. A fact that a caveat is about and that is absent breaks it. */
  broken(facts: Facts): Broken[] {
    return this.#caveats.map((caveat) => broken(caveat, facts)).filter((found) => found !== undefined);
  }

  /** Throws a `TokenError` where a call with these facts breaks a caveat. Kept caveats are no proof: see above. */
  check(facts: Facts): void {
    const [first] = this.broken(facts);
    if (first !== undefined) {
      throw new TokenError(`the capability ${first.says}`);
    }
  }

  /** The text, to hand it to its holder. */
  expose(): string {
    return this.#text;
  }
  toString(): string {
    return `token of ${this.grant}, tenant ${this.tenant}, ${this.blocks.length} narrowings`;
  }
  toJSON(): never {
    throw new TypeError("a token is not written as JSON; use expose()");
  }
  [inspect.custom](): string {
    return this.toString();
  }
}

function readBlock(bytes: Buffer): { narrowing: string; caveats: Canonical[] } {
  const reader = new Reader(bytes);
  const narrowing = ulid("cap_", reader.take(16));
  const count = reader.u8();
  if (count > CAVEATS) {
    throw new TokenError("a capability cannot hold more than 64 caveats in one narrowing");
  }
  const caveats: Canonical[] = [];
  for (let at = 0; at < count; at += 1) {
    const caveat = readCaveat(reader);
    const before = caveats.at(-1);
    if (before !== undefined && Buffer.compare(before.encoded, caveat.encoded) >= 0) {
      throw malformed("its caveats are out of order");
    }
    caveats.push(caveat);
  }
  reader.end();
  return { narrowing, caveats };
}

/** The time first, so that ids sort by it. */
function fresh(): Buffer {
  const time = Buffer.alloc(6);
  time.writeUIntBE(Date.now(), 0, 6);
  return Buffer.concat([time, randomBytes(10)]);
}

function checksum(text: string): string {
  return u32(crc32(Buffer.from(text))).toString("base64url");
}
