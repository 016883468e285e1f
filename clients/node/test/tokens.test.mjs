// Tokens, against `clients/conformance/tokens.json`: what the broker reads, refuses, narrows and checks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { Token, TokenError } from "doorward";
import { read } from "./replay.mjs";

const TOKENS = read("tokens.json");

test("every token is read as the broker reads it", () => {
  for (const { token, tenant, grant, blocks } of TOKENS.read) {
    const found = Token.parse(token);
    assert.deepEqual({ tenant: found.tenant, grant: found.grant, blocks: found.blocks }, { tenant, grant, blocks });
  }
});

test("what is not canonical is refused", () => {
  for (const { why, token } of TOKENS.refuse) {
    assert.throws(() => Token.parse(token), TokenError, why);
  }
});

test("a narrowing is the broker's to the byte or is refused as wider", () => {
  for (const { token, id, caveats, text, error } of TOKENS.narrow) {
    const narrowed = () => Token.parse(token).narrow(caveats, Buffer.from(id, "hex")).expose();
    if (text !== undefined) {
      assert.equal(narrowed(), text);
    } else {
      assert.throws(narrowed, (thrown) => thrown instanceof TokenError && thrown.message.includes(error), JSON.stringify(caveats));
    }
  }
});

test("a call keeps and breaks caveats as at the broker", () => {
  for (const { token, facts, broken } of TOKENS.check) {
    const [first] = Token.parse(token).broken({ ...facts, now: new Date(facts.now) });
    assert.equal(first?.kind ?? null, broken, inspect(Token.parse(token).blocks, { depth: 6 }));
  }
});

test("a token is neither printed nor written as JSON", () => {
  const [{ token: text }] = TOKENS.read;
  const token = Token.parse(text);
  assert.ok(!`${inspect(token, { depth: 9, showHidden: true })} ${token}`.includes(text.slice(-30, -8)));
  assert.throws(() => JSON.stringify({ token }));
});

test("fresh narrowings differ, and a check says what is broken", () => {
  const parent = Token.parse(TOKENS.read.at(-1).token);
  assert.notEqual(parent.narrow([{ uses: 1 }]).expose(), parent.narrow([{ uses: 1 }]).expose());
  const child = parent.narrow([{ not_after: new Date("2026-01-01T00:00:00Z") }]);
  const late = { now: new Date("2026-02-01T00:00:00Z"), integration: "slack", operation: "chat.post" };
  assert.throws(() => child.check(late), /the capability expired at 2026-01-01T00:00:00.000Z/);
});
