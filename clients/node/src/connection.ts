/** One connection to the agent. One message is under way at a time. */

import { connect, type Socket } from "node:net";
import { ConnectionLost, DoorwardError, ProtocolError, Unreachable } from "./errors.js";
import { FRAME } from "./wire.js";

/** A connection. What comes in while nothing was asked spoils it. */
export class Connection {
  readonly #socket: Socket;
  #parts: Buffer[] = [];
  #length = 0;
  #spoilt = false;
  #waiting: { resolve: (line: Buffer) => void; reject: (error: DoorwardError) => void } | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (data: Buffer) => this.#take(data));
    socket.on("error", (error: Error) => this.#fail(lost(error.message)));
    socket.on("close", () => this.#fail(lost("end of file")));
    socket.on("end", () => this.#fail(lost("end of file")));
  }

  /** Opens one. */
  static async open(path: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path });
      const failed = (error: NodeJS.ErrnoException): void => reject(unreachable(path, error));
      socket.once("error", failed);
      socket.once("connect", () => {
        socket.off("error", failed);
        resolve(new Connection(socket));
      });
    });
  }

  /** Sends a message and waits for the line that comes back. `began` is called before anything is sent. */
  async exchange(line: string, began: () => void): Promise<Buffer> {
    this.#socket.ref();
    try {
      return await new Promise<Buffer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        began();
        this.#socket.write(line);
      });
    } finally {
      this.#waiting = undefined;
      // An idle connection doesn't keep a program from ending.
      this.#socket.unref();
    }
  }

  /** Whether it is open and nothing came that nobody asked for. */
  async isQuiet(): Promise<boolean> {
    // Two turns: what the kernel has now is read in the poll that lies between them.
    await new Promise((turn) => setImmediate(() => setImmediate(turn)));
    return !this.#spoilt && !this.#socket.destroyed;
  }

  /** Closes it. */
  close(): void {
    this.#spoilt = true;
    this.#socket.destroy();
  }

  #take(data: Buffer): void {
    if (this.#waiting === undefined) {
      this.close();
      return;
    }
    const end = data.indexOf(10);
    if (this.#length + (end < 0 ? data.length : end) > FRAME) {
      this.#fail(new ProtocolError("the agent's answer is larger than 1 MiB"));
      return;
    }
    if (end < 0) {
      this.#parts.push(data);
      this.#length += data.length;
      return;
    }
    const line = Buffer.concat([...this.#parts, data.subarray(0, end)]);
    this.#parts = [];
    this.#length = 0;
    this.#spoilt = end + 1 < data.length;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(line);
  }

  #fail(error: DoorwardError): void {
    this.close();
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

function lost(why: string): ConnectionLost {
  return new ConnectionLost(`the agent closed the connection before it answered: ${why}`);
}

function unreachable(path: string, error: NodeJS.ErrnoException): Unreachable {
  const start = "failed to connect to agent";
  if (error.code === "ENOENT") {
    return new Unreachable(`${start}: connection refused: there is no socket \`${path}\``);
  }
  if (error.code === "ECONNREFUSED" || error.code === "EAGAIN") {
    return new Unreachable(`${start}: connection refused: nothing listens on \`${path}\``);
  }
  // Such as a lack of rights, which no waiting mends.
  return new Unreachable(`${start}: ${error.message}`, true);
}
