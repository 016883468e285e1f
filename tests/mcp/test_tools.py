"""Tools over HTTP behind OAuth, as the official client of the protocol uses them: `doorward mcp --listen`, and `oidc-provider-mock`
as the issuer, whose access tokens are made into signed ones for a resource (RFC 9068, RFC 8707).

Nothing of the caller's home is read or written.
"""

import asyncio
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import flask
import httpx2
import oidc_provider_mock
import werkzeug.serving
from authlib import jose
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from oidc_provider_mock import User
from oidc_provider_mock._storage import storage

LIMIT = 120
CANARY = "CANARY-of-the-service-0123456789"
USERS = [
    User(sub="ada", claims={"groups": ["platform"]}),
    User(sub="eve", claims={"groups": ["everybody"]}),
]


class Served:
    """A server on a port of its own."""

    def __init__(self, server) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.thread.join(LIMIT)
        self.server.server_close()


def front(to: list[int]) -> Served:
    """What stands before the door, and keeps the name that was asked for: its address is known before that of the door."""

    class Pass(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            connection = http.client.HTTPConnection("127.0.0.1", to[0], timeout=LIMIT)
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "content-length"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            said = reply.read()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name.lower() not in ("connection", "content-length", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            connection.close()

        do_GET = do_DELETE = do_POST

        def log_message(self, *_: object) -> None:
            pass

    return Served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pass))


def service(seen: list[str]) -> Served:
    """A service that wants its credential and says who asked."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("authorization", ""))
            self.send_response(200 if seen[-1] == f"Bearer {CANARY}" else 401)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps({"id": 7, "path": self.path}).encode())

        def log_message(self, *_: object) -> None:
            pass

    return Served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer))


def provider() -> Served:
    """The issuer. A token is for the resource that the client names; and says the groups of whoever signed in."""
    app = flask.Flask("issuer")

    def token(client, grant_type, user, scope) -> str:
        now = int(time.time())
        claims = {
            "iss": flask.request.host_url.rstrip("/"), "sub": user.sub, "aud": flask.request.form.get("resource", "nobody"),
            "client_id": client.get_client_id(), "iat": now, "exp": now + 600, "scope": scope or "", **user.claims,
        }
        return jose.jwt.encode({"alg": "RS256", "typ": "at+jwt"}, claims, storage.jwk.as_dict(is_private=True)).decode()

    app.config["OAUTH2_ACCESS_TOKEN_GENERATOR"] = token
    oidc_provider_mock.init_app(app, user_claims=USERS)
    app.debug = False
    return Served(werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True))


class Kept:
    """Where the client keeps what it was given."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Person:
    """Somebody in front of the client, who signs in when asked."""

    def __init__(self, sub: str) -> None:
        self.sub, self.asked, self.back = sub, [], ""

    async def sent(self, location: str) -> None:
        self.asked.append(location)
        async with httpx2.AsyncClient(timeout=LIMIT) as browser:
            reply = await browser.post(location, data={"sub": self.sub})
        self.back = reply.headers["location"]

    async def came(self) -> AuthorizationCodeResult:
        words = urllib.parse.parse_qs(urllib.parse.urlsplit(self.back).query)
        return AuthorizationCodeResult(code=words["code"][0], state=words["state"][0], iss=words.get("iss", [None])[0])


class Tools(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dw-", dir="/tmp"))
        root = pathlib.Path(__file__).resolve().parents[2]
        cls.binary = os.environ.get("DOORWARD_BINARY") or str(root / "target/debug/doorward")
        home = cls.folder / "home"
        cls.environment = {"PATH": os.environ["PATH"], "HOME": str(cls.folder), "DOORWARD_HOME": str(home), "DOORWARD_LOG": "json"}
        cls.seen, cls.to = [], [0]
        cls.service, cls.provider, cls.front = service(cls.seen), provider(), front(cls.to)
        cls.issuer = f"http://localhost:{cls.provider.server.server_port}"
        cls.resource = f"http://127.0.0.1:{cls.front.server.server_port}/mcp"
        cls.run_("init", "--recovery-out", "recovery.txt")
        cls.run_("secret", "put", "demo/token", given=CANARY)
        (home / "integrations").mkdir(exist_ok=True)
        (home / "integrations/demo.yaml").write_text(
            f"""
name: demo
title: A service
docs: https://doorward.example/demo
base_url: http://127.0.0.1:{cls.service.server.server_port}
dangerous_allow_private: true
secrets: {{token: {{title: Token, default: "store:demo/token"}}}}
auth: [{{scheme: bearer, secret: token}}]
limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}
operations:
  item.show: {{title: Show an item, access: read, risk: low, match: {{method: GET, path: "/items/{{item}}"}}, inputs: {{item: {{in: path, max: 20}}}}}}
  item.drop: {{title: Drop an item, access: write, risk: high, match: {{method: DELETE, path: "/items/{{item}}"}}, inputs: {{item: {{in: path, max: 20}}}}}}
"""
        )
        (home / "settings.toml").write_text(
            f"""
[mcp]
resource = "{cls.resource}"
issuer = "{cls.issuer}"
dangerous_allow_private = true

[[mcp.grants]]
scope = "tools:read"
groups = ["platform"]
integrations = ["demo"]
access = "read"
"""
        )

    @classmethod
    def tearDownClass(cls) -> None:
        for served in (cls.front, cls.provider, cls.service):
            served.end()
        shutil.rmtree(cls.folder)

    @classmethod
    def run_(cls, *words: str, given: str = "") -> str:
        ran = subprocess.run([cls.binary, *words], env=cls.environment, cwd=cls.folder, input=given, capture_output=True, text=True)
        if ran.returncode != 0:
            raise AssertionError(f"{words}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def setUp(self) -> None:
        self.door = subprocess.Popen(
            [self.binary, "mcp", "--listen", "127.0.0.1:0"], env=self.environment, cwd=self.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )
        self.said = []
        for line in self.door.stderr:
            self.said.append(line)
            if match := re.search(r"http://[^ ]*:(\d+)/mcp", line):
                self.to[0] = int(match[1])
                break
        else:
            raise AssertionError("".join(self.said))
        self.reading = threading.Thread(target=lambda: self.said.extend(self.door.stderr), daemon=True)
        self.reading.start()

    def tearDown(self) -> None:
        self.door.terminate()
        self.door.wait(LIMIT)
        self.reading.join(LIMIT)
        self.door.stderr.close()
        for secret in (CANARY, "eyJ"):
            self.assertNotIn(secret, "".join(self.said))

    def ask(self, token: str | None = None, **more: str) -> tuple[int, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-06-18", **more}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.to[0], timeout=LIMIT)
        connection.request("POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}), headers)
        reply = connection.getresponse()
        reply.read()
        challenge = reply.headers.get("www-authenticate") or ""
        connection.close()
        return reply.status, challenge

    async def used(self, person: Person, kept: Kept):
        metadata = OAuthClientMetadata(client_name="test", redirect_uris=["http://localhost:1/back"], scope="tools:read")
        auth = OAuthClientProvider(self.resource, metadata, kept, redirect_handler=person.sent, callback_handler=person.came)
        async with httpx2.AsyncClient(auth=auth, timeout=LIMIT) as http_client:
            async with Client(streamable_http_client(self.resource, http_client=http_client)) as client:
                listed = await client.list_tools()
                called = await client.call_tool("demo__item_show", {"item": "7"})
                return [tool.name for tool in listed.tools], called

    def test_the_official_client_finds_the_issuer_signs_in_and_calls_a_tool(self) -> None:
        person, kept = Person("ada"), Kept()
        names, called = asyncio.run(self.used(person, kept))
        self.assertEqual(names, ["demo__item_show"], "the scope gives reading")
        self.assertFalse(called.is_error, called)
        self.assertEqual(called.structured_content["answer"]["output"]["id"], 7)
        self.assertEqual(len(person.asked), 1)
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(person.asked[0]).query)
        self.assertEqual((asked["resource"], asked["code_challenge_method"]), ([self.resource], ["S256"]))
        self.assertEqual(set(self.seen), {f"Bearer {CANARY}"}, "the token goes to no service")
        token = kept.tokens.access_token
        self.assertEqual(self.ask(token)[0], 200)
        self.assertEqual(self.ask(token[:-4] + "AAAA")[0], 401)
        self.assertEqual(self.ask(token, Origin="https://evil.example")[0], 403)
        self.door.terminate()
        self.door.wait(LIMIT)
        evidence = self.run_("evidence", "list", "--json")
        self.assertIn("capability.exchange", evidence)
        self.assertNotIn(token, evidence)
        self.assertIn('"principal":"oidc.', evidence.replace(" ", ""))

    def test_who_is_in_no_group_is_told_that_the_scope_is_too_little(self) -> None:
        person, kept = Person("eve"), Kept()
        with self.assertRaises((Exception, BaseExceptionGroup)):
            asyncio.run(self.used(person, kept))
        status, challenge = self.ask(kept.tokens.access_token)
        self.assertEqual(status, 403)
        self.assertIn('error="insufficient_scope"', challenge)

    def test_who_shows_nothing_is_sent_to_the_description_and_a_capability_goes_on_working(self) -> None:
        status, challenge = self.ask()
        self.assertEqual(status, 401)
        described = challenge.split('resource_metadata="')[1].split('"')[0]
        with httpx2.Client(timeout=LIMIT) as browser:
            told = browser.get(described).json()
        self.assertEqual((told["resource"], told["authorization_servers"]), (self.resource, [self.issuer]))
        self.door.terminate()
        self.door.wait(LIMIT)
        words = ["capability", "request", "--for", "agent", "--integrations", "demo", "--access", "read", "--expires", "1h", "--json"]
        token = json.loads(self.run_(*words))["token"]
        self.tearDown()
        self.setUp()
        self.assertEqual(self.ask(token)[0], 200)
        self.assertEqual(self.ask(token[:-2] + "xx")[0], 401)


if __name__ == "__main__":
    unittest.main()
