/** Length-prefixed bytes: the reader refuses what is missing and what is left over. */

import { TokenError } from "./errors.js";

/** Reads from the front; never looks beyond the end. */
export class Reader {
  rest: Buffer;
  constructor(bytes: Buffer) {
    this.rest = bytes;
  }
  take(length: number): Buffer {
    if (this.rest.length < length) {
      throw new TokenError("the capability is not well formed: something is missing at its end");
    }
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }
  u8(): number {
    return this.take(1).readUInt8();
  }
  u16(): number {
    return this.take(2).readUInt16BE();
  }
  u32(): number {
    return this.take(4).readUInt32BE();
  }
  u64(): bigint {
    return this.take(8).readBigUInt64BE();
  }
  text(): string {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(this.u16()));
    } catch (error) {
      throw error instanceof TokenError
        ? error
        : new TokenError("the capability is not well formed: a text is not UTF-8");
    }
  }
  texts(): string[] {
    return Array.from({ length: this.u8() }, () => this.text());
  }
  end(): void {
    if (this.rest.length > 0) {
      throw new TokenError("the capability is not well formed: something is left over");
    }
  }
}

export function u16(number: number): Buffer {
  if (number > 0xffff) {
    throw new TokenError("a capability cannot hold more than 8 KiB");
  }
  const out = Buffer.alloc(2);
  out.writeUInt16BE(number);
  return out;
}

export function u32(number: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(number);
  return out;
}

export function u64(number: bigint): Buffer {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(number);
  return out;
}

export function putText(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u16(bytes.length), bytes]);
}

export function putList(texts: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from([texts.length]), ...texts.map(putText)]);
}

/** CRC-32, the one of zip and Ethernet. */
export function crc32(bytes: Buffer): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}
