#!/usr/bin/env python3
"""Runs a command beside a real broker with its API: `api_house.py COMMAND...`.

The broker is the binary that `DOORWARD_BINARY` names (target/debug/doorward otherwise), in a home that is thrown away. It has the tenants
`acme_inc` and `other_inc`, and an OpenAI that knows one key. The command finds in its environment:

    DOORWARD_API        where the API is
    DOORWARD_API_KEY    a key of `acme_inc`, which is DOORWARD_TENANT
    DOORWARD_ROOT_KEY   a key that makes tenants
    DOORWARD_GOOD_KEY   the key that the OpenAI knows

Nothing of the caller's home is read or written.
"""

import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

GOOD = "sk-CANARY-openai-0001"
LIMIT = 300


class OpenAi(http.server.BaseHTTPRequestHandler):
    """The provider: it lists its models to whoever has the key."""

    def do_GET(self) -> None:
        known = self.headers.get("authorization") == f"Bearer {GOOD}"
        told = {"object": "list", "data": []} if known else {"error": {"message": "no such key"}}
        body = json.dumps(told).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main() -> int:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dw-", dir="/tmp"))
    root = pathlib.Path(__file__).resolve().parents[2]
    binary = os.environ.get("DOORWARD_BINARY") or str(root / "target/debug/doorward")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "DOORWARD_HOME": str(folder / "home")}

    def run(*words: str) -> str:
        ran = subprocess.run([binary, *words], env=environment, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(f"{' '.join(words)}: {ran.stdout}{ran.stderr}")
        return ran.stdout.strip()

    service = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OpenAi)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    log = open(folder / "serve.log", "wb")
    serving: subprocess.Popen[str] | None = None
    try:
        run("init", "--recovery-out", "recovery.txt")
        base = f"http://127.0.0.1:{service.server_port}"
        run("integration", "add", "openai", "--base-url", base, "--dangerous-allow-private")
        serving = subprocess.Popen(
            [binary, "serve", "--json", "--addr", "127.0.0.1:0"], env=environment, cwd=folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log, text=True,
        )
        assert serving.stdout is not None
        ready = json.loads(serving.stdout.readline() or "{}")
        if "api" not in ready:
            sys.exit(f"the broker did not start:\n{(folder / 'serve.log').read_text()}")
        for tenant in ("acme_inc", "other_inc"):
            run("tenant", "create", tenant)
        told = {
            "DOORWARD_API": ready["api"],
            "DOORWARD_TENANT": "acme_inc",
            "DOORWARD_API_KEY": run("key", "create", "--tenant", "acme_inc"),
            "DOORWARD_ROOT_KEY": run("key", "create", "--root"),
            "DOORWARD_GOOD_KEY": GOOD,
        }
        return subprocess.run(sys.argv[1:], env={**os.environ, **told}).returncode
    finally:
        if serving is not None:
            serving.terminate()
            serving.wait(LIMIT)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
