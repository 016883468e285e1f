// The scripts of `clients/conformance`, against the real agent that `house.py` starts.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { Token } from "doorward";
import { Caller, agrees, read } from "./replay.mjs";

const { VAULT_AGENT_SOCKET_PATH: SOCKET, DOORWARD_CONTROL: CONTROL } = process.env;
const skip = SOCKET && CONTROL ? false : "clients/conformance/house.py starts the agent for it";

/** Stops or starts the agent. */
async function control(word) {
  const line = connect({ path: CONTROL });
  line.write(`${word}\n`);
  const [answer] = await once(line, "data");
  assert.equal(answer.toString(), "done\n");
  line.destroy();
}

/** A script under way: what was kept of its answers. */
class Script {
  kept = {};
  caller = new Caller(SOCKET);

  filled(value) {
    if (typeof value === "string") {
      return value.startsWith("$") ? this.kept[value.slice(1)] : value;
    }
    if (Array.isArray(value)) {
      return value.map((each) => this.filled(each));
    }
    return value && typeof value === "object"
      ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, this.filled(member)]))
      : value;
  }

  async play(step) {
    if (step.agent) {
      await control(step.agent);
    } else if (step.token) {
      this.narrow(step);
    } else if (step.parallel) {
      const call = () => this.caller.outcome(step.call, this.filled(step.args));
      const answers = await Promise.all(Array.from({ length: step.parallel }, call));
      const counts = {};
      answers.forEach(({ status = "error" }) => (counts[status] = (counts[status] ?? 0) + 1));
      assert.deepEqual(counts, step.counts);
    } else {
      this.expect(step, await this.caller.outcome(step.call, this.filled(step.args)));
    }
  }

  narrow(step) {
    const narrowed = () => Token.parse(this.filled(step.token)).narrow(step.narrow);
    if (step.error) {
      assert.throws(narrowed, (error) => error.kind === step.error.kind && error.message.includes(step.error.contains));
    } else {
      assert.equal(narrowed().blocks.length, step.blocks);
    }
  }

  expect(step, found) {
    if (step.error === undefined) {
      assert.equal(found.error, undefined, step.call);
    }
    agrees(step.error ? { error: step.error } : this.filled(step.expect), found, step.call);
    for (const [name, path] of Object.entries(step.keep ?? {})) {
      this.kept[name] = path.split(".").reduce((value, part) => value[part], found);
    }
  }
}

for (const name of read("replayed.json").scripts) {
  test(`${name} holds against a real agent`, { skip }, async () => {
    const script = new Script();
    for (const [at, step] of read(name).steps.entries()) {
      try {
        await script.play(step);
      } catch (error) {
        error.message = `step ${at + 1}: ${error.message}`;
        throw error;
      }
    }
    script.caller.client.close();
  });
}
