// Replays the scripts of `clients/conformance` through the client.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client, DoorwardError, Refused } from "doorward";

export const CONFORMANCE = fileURLToPath(new URL("../../conformance", import.meta.url));

/** One of the scripts. Numbers that JavaScript can't hold exactly are bigints. */
export function read(name) {
  const exact = readFileSync(join(CONFORMANCE, name), "utf8").replace(/("uses": )(\d{16,})/g, '$1"big:$2"');
  return JSON.parse(exact, (_key, value) =>
    typeof value === "string" && value.startsWith("big:") ? BigInt(value.slice(4)) : value,
  );
}

/** `scripted.py`, playing one scenario. */
export class Scripted {
  static async play(scenario) {
    const scripted = new Scripted();
    scripted.folder = mkdtempSync("/tmp/dw-");
    scripted.path = join(scripted.folder, "s");
    const program = join(CONFORMANCE, "scripted.py");
    scripted.process = spawn("python3", [program, scripted.path], { stdio: ["pipe", "pipe", "inherit"] });
    scripted.lines = createInterface({ input: scripted.process.stdout })[Symbol.asyncIterator]();
    scripted.process.stdin.write(`${JSON.stringify(scenario)}\n`);
    await scripted.wait("ready");
    return scripted;
  }

  async wait(word) {
    assert.equal((await this.lines.next()).value, word);
  }

  /** What it got. */
  async end() {
    this.process.stdin.end();
    const got = JSON.parse((await this.lines.next()).value);
    if (this.process.exitCode === null) {
      await once(this.process, "exit");
    }
    rmSync(this.folder, { recursive: true });
    return got;
  }
}

const CALLS = {
  ping: (client) => client.ping().then(() => ({})),
  status: (client) => client.status(),
  agent_status: (client) => client.agentStatus(),
  request: (client, args) => client.request(args),
  validate: (client, { capability_id, context }) => client.validate(capability_id, context),
  revoke: (client, { capability_id, reason }) => client.revoke(capability_id, reason),
  list: (client, { filter }) => client.list(filter),
  narrow: (client, { capability_id, ...less }) => client.narrow(capability_id, less),
  use: (client, { capability_id, ...request }) => client.use(capability_id, request),
  use_tool: (client, { capability_id, name, inputs }) => client.useTool(capability_id, name, inputs),
  read_secret: (client, { capability_id, resource }) => client.readSecret(capability_id, resource),
  append_log: (client, { capability_id, message, fields, resource }) =>
    client.appendLog(capability_id, message, fields, { resource }),
  secure_use: (client, { capability_id, revoke }) =>
    client.secureUse(capability_id, () => ({ ran: true }), { revoke }),
};

/** A client that is called by the words of the scripts. */
export class Caller {
  constructor(path, seconds = 120) {
    this.client = new Client({ socketPath: path, timeout: seconds * 1000 });
  }

  /** What came of a call: its answer as JSON, or the failure. */
  async outcome(name, args = {}) {
    const grown = Object.fromEntries(
      Object.entries(args).map(([key, value]) => {
        const large = typeof value === "string" ? /^<large:(\d+)>$/.exec(value) : null;
        return [key, large ? "x".repeat(Number(large[1])) : value];
      }),
    );
    try {
      return opened(await CALLS[name](this.client, grown));
    } catch (error) {
      if (!(error instanceof DoorwardError)) {
        throw error;
      }
      return { error: failed(error) };
    }
  }
}

/** An answer as JSON, with what is hidden otherwise. */
function opened(answer) {
  if (answer.value !== undefined) {
    return { ...answer, value: answer.value.text() };
  }
  const token = answer.capability?.token;
  return token === undefined ? answer : { ...answer, capability: { ...answer.capability, token: token.text() } };
}

function failed(error) {
  const { code, hint, evidence } = error;
  return { kind: error.kind, contains: error.message, ...(error instanceof Refused ? { code, hint, evidence } : {}) };
}

const PATTERNS = {
  any: "[\\s\\S]*",
  cap: "cap_\\S+",
  time: "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ",
  text: "[\\s\\S]+",
  token: "cap1_[A-Za-z0-9_-]+",
};

/** Every key that is expected is there, and placeholders fit. */
export function agrees(expected, found, where) {
  if (Array.isArray(expected)) {
    assert.ok(Array.isArray(found) && found.length === expected.length, `${where}: ${JSON.stringify(found)}`);
    expected.forEach((value, at) => agrees(value, found[at], `${where}[${at}]`));
  } else if (typeof expected === "object" && expected !== null) {
    for (const [key, value] of Object.entries(expected)) {
      assert.ok(found?.[key] !== undefined, `${where}: \`${key}\` is missing in ${JSON.stringify(found)}`);
      if (key === "contains") {
        assert.ok(found[key].includes(value), `${where}: ${found[key]} has no ${value}`);
      } else {
        agrees(value, found[key], `${where}.${key}`);
      }
    }
  } else if (typeof expected === "string" && /^<.*>$/.test(expected)) {
    const [name, text = ""] = expected.slice(1, -1).split(/:(.*)/s);
    const quoted = text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const pattern = name === "has" ? `[\\s\\S]*${quoted}[\\s\\S]*` : PATTERNS[name];
    const shown = typeof found === "string" ? found : JSON.stringify(found);
    assert.match(shown, new RegExp(`^(?:${pattern})$`), where);
  } else {
    assert.deepEqual(found, expected, where);
  }
}
