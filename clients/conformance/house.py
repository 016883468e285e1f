#!/usr/bin/env python3
"""Runs a command beside a real agent: `house.py COMMAND...`.

The agent is the binary that `DOORWARD_BINARY` names (target/debug/doorward otherwise), in development mode, in a home that is thrown
away. It has the integration `echo`, whose service demands a bearer token that only the broker has, and the disclosable
secret `db/primary`. The command finds in its environment:

    VAULT_AGENT_SOCKET_PATH   where the agent listens
    DOORWARD_CONTROL          a socket that takes the lines `stop`, `start` and `restart`, and answers each with `done`

Nothing of the caller's home is read or written.
"""

import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOKEN = "CANARY-echo-token-0001"
PRIMARY = "CANARY-db-primary-0001"
LIMIT = 300


class Echo(http.server.BaseHTTPRequestHandler):
    """The service: whoever has no token is told so."""

    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        got = self.rfile.read(length).decode(errors="replace")
        known = self.headers.get("authorization") == f"Bearer {TOKEN}"
        told = {"method": self.command, "path": self.path, "body": got} if known else {"error": "no token"}
        body = json.dumps(told).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_: object) -> None:
        pass


def integration(port: int) -> str:
    return f"""\
name: echo
title: Echo
docs: https://example.com/docs
base_url: http://127.0.0.1:{port}
dangerous_allow_private: true
secrets:
  token: {{title: Token}}
auth:
  - {{scheme: bearer, secret: token}}
limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}
operations:
  echo.show:
    title: Show
    access: read
    risk: low
    match: {{method: GET, path: /echo}}
  echo.say:
    title: Say
    access: write
    risk: low
    match: {{method: POST, path: /echo}}
"""


class House:
    def __init__(self, folder: pathlib.Path) -> None:
        root = pathlib.Path(__file__).resolve().parents[2]
        self.binary = os.environ.get("DOORWARD_BINARY") or str(root / "target/debug/doorward")
        self.folder, self.socket = folder, folder / "agent.sock"
        self.agent: subprocess.Popen[bytes] | None = None
        for name in ("data", "config", "state", "cache", "run"):
            (folder / name).mkdir(mode=0o700)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
        }
        self.log = open(folder / "agent.log", "wb")

    def run(self, *words: str, given: str = "") -> None:
        command = [self.binary, *words]
        ran = subprocess.run(command, env=self.environment, cwd=self.folder, input=given.encode(), capture_output=True)
        if ran.returncode != 0:
            sys.exit(f"{' '.join(command)}: {ran.stdout.decode()}{ran.stderr.decode()}")

    def furnish(self) -> None:
        service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=service.serve_forever, daemon=True).start()
        self.run("init", "--recovery-out", "recovery.txt")
        below = self.folder / "data/doorward/integrations"
        below.mkdir(exist_ok=True)
        (below / "echo.yaml").write_text(integration(service.server_port))
        self.run("secret", "put", "echo/token", given=TOKEN)
        self.run("secret", "put", "db/primary", "--disclosable", given=PRIMARY)

    def start(self) -> None:
        words = ["agent", "start", "--mode", "development", "--socket-path", str(self.socket)]
        self.agent = subprocess.Popen(
            [self.binary, *words], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log,
        )
        until = time.monotonic() + LIMIT
        while not self.answers():
            if self.agent.poll() is not None or time.monotonic() > until:
                sys.exit(f"the agent did not start:\n{(self.folder / 'agent.log').read_text()}")
            time.sleep(0.02)

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as tried:
            return tried.connect_ex(str(self.socket)) == 0

    def stop(self) -> None:
        if self.agent is not None:
            self.agent.terminate()
            self.agent.wait(LIMIT)
            self.agent = None

    def control(self) -> str:
        path = str(self.folder / "control")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        threading.Thread(target=self.obey, args=(listener,), daemon=True).start()
        return path

    def obey(self, listener: socket.socket) -> None:
        while True:
            connection, _ = listener.accept()
            with connection, connection.makefile("rw") as lines:
                for line in lines:
                    if line.strip() in ("stop", "restart"):
                        self.stop()
                    if line.strip() in ("start", "restart"):
                        self.start()
                    lines.write("done\n")
                    lines.flush()


def main() -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dw-", dir="/tmp"))
    house = House(folder)
    try:
        house.furnish()
        house.start()
        told = {"VAULT_AGENT_SOCKET_PATH": str(house.socket), "DOORWARD_CONTROL": house.control()}
        ended = subprocess.run(sys.argv[1:], env={**os.environ, **told}).returncode
        if ended != 0:
            sys.stderr.write((folder / "agent.log").read_text())
        return ended
    finally:
        house.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
