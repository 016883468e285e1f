// Cache, manager, mock, and that both forms of the package load.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inspect } from "node:util";
import { Cache, Denied, Manager, Mock, NotValid, Secret } from "doorward";

const READ = { resource: "secret:/db/primary", actions: ["read"], ttl: 300 };

function allowing(now) {
  const agent = new Mock(now);
  agent.allow("secret:/db/*", "read", "write");
  return agent;
}

const asked = (agent, name) => agent.calls.filter((call) => call.name === name).length;

test("calls that want one capability at once ask once", async () => {
  const agent = allowing();
  const manager = new Manager(agent);
  const all = await Promise.all(Array.from({ length: 50 }, () => manager.get(READ)));
  assert.equal(new Set(all.map(({ id }) => id)).size, 1);
  assert.equal(asked(agent, "request"), 1);
  assert.deepEqual([agent.metrics.now().cache_misses, agent.metrics.now().cache_hits], [1, 49]);
  await manager.close();
});

test("the order of actions is no difference, and another resource is", async () => {
  const agent = allowing();
  const manager = new Manager(agent);
  await manager.get({ resource: "secret:/db/a", actions: ["read", "write"] });
  await manager.get({ actions: ["write", "read"], resource: "secret:/db/a" });
  await manager.get({ resource: "secret:/db/b", actions: ["read", "write"] });
  assert.equal(asked(agent, "request"), 2);
  await manager.close();
});

test("a denial is an error and is not kept", async () => {
  const agent = new Mock();
  const manager = new Manager(agent);
  await assert.rejects(manager.get(READ), Denied);
  agent.allow("secret:/db/primary", "read");
  assert.equal((await manager.get(READ)).resource, "secret:/db/primary");
  await manager.close();
});

test("a capability near its end is not given out, and the least recently used goes first", () => {
  let now = 0;
  const cache = new Cache({ size: 2, now: () => now });
  const capability = (id, seconds) => ({ id, expires_at: new Date(seconds * 1000).toISOString() });
  cache.set("a", capability("1", 100));
  now = 94_999;
  assert.equal(cache.get("a")?.id, "1");
  now = 95_000;
  assert.equal(cache.get("a"), undefined);
  now = 0;
  cache.set("a", capability("1", 10));
  cache.set("b", capability("2", 100));
  cache.get("a");
  cache.set("c", capability("3", 100));
  assert.equal(cache.get("b"), undefined);
  now = 9_000;
  assert.equal(cache.sweep(), 1);
  cache.remove("3");
  assert.equal(cache.size, 0);
});

test("a revoked capability is forgotten when its use fails, and a use that failed is revoked", async () => {
  const agent = allowing();
  const manager = new Manager(agent);
  const first = await manager.get(READ);
  await agent.revoke(first.id);
  await assert.rejects(manager.use(READ, () => assert.fail("it ran")), NotValid);
  const second = await manager.get(READ);
  const broken = () => Promise.reject(new Error("no database"));
  await assert.rejects(manager.use(READ, broken, { revoke: true }), /no database/);
  assert.equal((await agent.validate(second.id)).valid, false);
  await manager.close();
});

test("closing a manager revokes what it keeps where that was asked for", async () => {
  for (const revokeOnClose of [true, false]) {
    const agent = allowing();
    const manager = new Manager(agent, { revokeOnClose });
    const { id } = await manager.get(READ);
    await manager.close();
    assert.equal((await agent.validate(id)).valid, !revokeOnClose);
  }
});

test("the mock counts uses of a child for its parent too, and refuses what is wider", async () => {
  const agent = allowing();
  agent.disclose("secret:/db/primary", Buffer.from("canary"));
  const { capability: parent } = await agent.request({ ...READ, max_uses: 2 });
  const { capability: child } = await agent.narrow(parent.id, { max_uses: 50 });
  assert.deepEqual([child.max_uses, child.parent], [2, parent.id]);
  const read = async (id) => (await agent.readSecret(id)).status;
  assert.deepEqual([await read(child.id), await read(child.id), await read(child.id), await read(parent.id)], [
    "ok",
    "ok",
    "denied",
    "denied",
  ]);
  await assert.rejects(agent.narrow(child.id, { actions: ["write"] }), { kind: "refused" });
});

test("a capability of the mock ends when its time is over", async () => {
  let now = Date.parse("2026-01-01T00:00:00Z");
  const agent = allowing(() => now);
  const { capability } = await agent.request({ ...READ, ttl: 60 });
  assert.equal(capability.expires_at, "2026-01-01T00:01:00Z");
  now += 60_000;
  assert.equal((await agent.validate(capability.id)).errors[0].code, "EXPIRED");
  assert.equal((await agent.request({ ...READ, ttl: 3601 })).status, "denied");
});

test("a secret is neither printed nor written as JSON", () => {
  const secret = new Secret(Buffer.from("canary"));
  assert.ok(!`${secret} ${inspect({ secret }, { depth: 9, showHidden: true })}`.includes("canary"));
  assert.throws(() => JSON.stringify({ secret }));
  assert.equal(secret.text(), "canary");
  assert.ok(secret.equals(new Secret(Buffer.from("canary"))));
});

test("the package loads as CommonJS too", () => {
  const common = createRequire(import.meta.url)("doorward");
  assert.equal(new common.Mock().calls.length, 0);
  assert.ok(new common.TimedOut("x") instanceof common.DoorwardError);
});
