#!/usr/bin/env python3
"""A scripted other end for tests of client libraries: it says what a scenario of faults.json says, and nothing else.

    scripted.py SOCKET < SCENARIO

Prints `ready` when it listens. When its standard input ends it prints how many connections and messages it got, as JSON.
The scenario has to be one line. The steps of a connection:

    {"read": "TYPE"}          reads a message and refuses the scenario if it is not of that type or not well formed
    {"answer": {..}, "type"?, "id"?, "version"?}   answers the last message
    {"raw": "TEXT"}           sends this
    {"large": N}              sends a text of N bytes and a newline
    {"close": true}           closes; so does the end of the steps
    {"tell": true}            prints `told`
    {"hang": true}            does nothing until the scenario ends
"""

import json
import os
import socket
import sys
import threading

KEYS = {"version", "type", "id", "timestamp", "payload"}


class Agent:
    def __init__(self, path: str, scenario: dict) -> None:
        self.path, self.scenario = path, scenario
        self.connections, self.messages, self.wrong = 0, 0, []
        self.over = threading.Event()

    def listen(self) -> None:
        kind = self.scenario.get("socket", "open")
        if kind == "absent":
            return
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        if kind == "refusing":
            self.listener.close()
            return
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        for steps in self.scenario.get("connections", []):
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(connection, steps), daemon=True).start()
        # More connections than were scripted are refused, as by an agent that is gone.
        self.listener.close()
        os.unlink(self.path)

    def serve(self, connection: socket.socket, steps: list) -> None:
        lines = connection.makefile("rb")
        message: dict = {}
        try:
            for step in steps:
                if "read" in step:
                    message = self.read(lines.readline(), step["read"])
                elif "answer" in step:
                    answer = {
                        "version": step.get("version", "1.0"),
                        "type": step["type"],
                        "id": step.get("id", message.get("id")),
                        "timestamp": "2026-01-01T00:00:00Z",
                        "payload": step["answer"],
                    }
                    connection.sendall(json.dumps(answer).encode() + b"\n")
                elif "raw" in step:
                    connection.sendall(step["raw"].encode())
                elif "large" in step:
                    connection.sendall(b'"' + b"x" * step["large"] + b'"\n')
                elif "close" in step:
                    connection.shutdown(socket.SHUT_RDWR)
                elif "tell" in step:
                    print("told", flush=True)
                elif "hang" in step:
                    self.over.wait()
        except OSError:
            pass
        finally:
            lines.close()
            connection.close()

    def read(self, line: bytes, expected: str) -> dict:
        if not line:
            return {}
        self.messages += 1
        try:
            message = json.loads(line)
        except ValueError:
            self.wrong.append("a message is not JSON")
            return {}
        if set(message) != KEYS or message["version"] != "1.0" or not isinstance(message["payload"], dict):
            self.wrong.append(f"an envelope is not well formed: {sorted(message)}")
        if message.get("type") != expected:
            self.wrong.append(f"`{message.get('type')}` was sent where `{expected}` was expected")
        if not isinstance(message.get("id"), str) or not message["id"]:
            self.wrong.append("a message has no id")
        return message


def main() -> None:
    agent = Agent(sys.argv[1], json.loads(sys.stdin.readline()))
    agent.listen()
    print("ready", flush=True)
    sys.stdin.read()
    agent.over.set()
    got = {"connections": agent.connections, "messages": agent.messages, "wrong": agent.wrong}
    print(json.dumps(got), flush=True)


if __name__ == "__main__":
    main()
