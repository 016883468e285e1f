// What the client makes of an agent that is away, slow, wrong or unwilling: `clients/conformance/faults.json`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Caller, Scripted, agrees, read } from "./replay.mjs";

for (const scenario of read("faults.json").scenarios) {
  test(scenario.name, async () => {
    const scripted = await Scripted.play(scenario);
    const caller = new Caller(scripted.path, scenario.timeout);
    for (const step of scenario.calls) {
      const found = await caller.outcome(step.call, step.args);
      if (step.error === undefined) {
        assert.equal(found.error, undefined);
      }
      agrees(step.error === undefined ? step.expect : { error: step.error }, found, step.call);
      if (step.then !== undefined) {
        await scripted.wait(step.then);
      }
    }
    caller.client.close();
    const got = await scripted.end();
    assert.deepEqual(got.wrong, []);
    assert.equal(got.messages, scenario.received);
  });
}

test("a use that is given up after it was sent has an unknown outcome, and one before was not sent", async () => {
  const scripted = await Scripted.play({ connections: [[{ read: "capability_use" }, { tell: true }, { hang: true }]] });
  const { client } = new Caller(scripted.path);
  const early = new AbortController();
  early.abort();
  const use = (signal) => client.use("cap_1", { integration: "crm" }, { signal });
  await assert.rejects(use(early.signal), { name: "AbortError" });
  const told = new AbortController();
  told.abort(new Error("the page was left"));
  await assert.rejects(use(told.signal), { message: "the page was left" });
  const late = new AbortController();
  const used = use(late.signal);
  await scripted.wait("told");
  late.abort();
  await assert.rejects(used, { kind: "outcome_unknown" });
  assert.equal((await scripted.end()).messages, 1);
});
