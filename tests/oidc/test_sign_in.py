"""Signing in at an identity provider, as a browser does it: through the binary, against `oidc-provider-mock`.

Nothing of the caller's home is read or written.
"""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse

import oidc_provider_mock
from oidc_provider_mock import User

USERS = [
    User(sub="ada", claims={"email": "ada@example.com", "groups": ["auditors", "everybody"]}),
    User(sub="eve", claims={"email": "eve@example.com", "groups": ["everybody"]}),
    User(sub="bob", claims={"email": "bob@example.com"}),
]
LIMIT = 60


class Browser:
    """What a browser does of it: it keeps cookies by path, and follows where it is told to."""

    def __init__(self, api: str) -> None:
        self.api, self.cookies, self.word = api, {}, None

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], object]:
        connection = http.client.HTTPConnection(self.api, timeout=LIMIT)
        told = dict(headers)
        if self.cookies:
            told["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if self.word:
            told["X-CSRF-Token"] = self.word
        if body is not None:
            told["Content-Type"] = "application/json"
        connection.request(method, path, None if body is None else json.dumps(body), told)
        reply = connection.getresponse()
        said = reply.read()
        for line in reply.headers.get_all("set-cookie") or []:
            name, _, rest = line.partition("=")
            value = rest.split(";")[0]
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        connection.close()
        return reply.status, dict(reply.headers.items()), json.loads(said) if said else None


def at_provider(location: str, sub: str) -> str:
    """Signs in at the provider's page; gives the way back."""
    place = urllib.parse.urlsplit(location)
    connection = http.client.HTTPConnection(place.netloc, timeout=LIMIT)
    form = urllib.parse.urlencode({"sub": sub})
    connection.request("POST", f"{place.path}?{place.query}", form, {"Content-Type": "application/x-www-form-urlencoded"})
    reply = connection.getresponse()
    reply.read()
    connection.close()
    back = urllib.parse.urlsplit(reply.headers["location"])
    return f"{back.path}?{back.query}"


class SignIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dw-", dir="/tmp"))
        root = pathlib.Path(__file__).resolve().parents[2]
        cls.binary = os.environ.get("DOORWARD_BINARY") or str(root / "target/debug/doorward")
        home = cls.folder / "home"
        cls.environment = {"PATH": os.environ["PATH"], "HOME": str(cls.folder), "DOORWARD_HOME": str(home), "PASSWORD_THERE": "CANARY/there+%"}
        cls.provider = oidc_provider_mock.run_server_in_thread(user_claims=USERS)
        server = cls.provider.__enter__()
        cls.issuer = f"http://localhost:{server.server_port}"
        cls.run_("init", "--recovery-out", "recovery.txt")
        (home / "settings.toml").write_text(
            f"""
[api.sign_in]
issuer = "{cls.issuer}"
client_id = "doorward"
client_secret = "env:PASSWORD_THERE"
title = "Example"
dangerous_allow_private = true
[api.sign_in.roles]
auditors = ["auditor"]
"""
        )
        cls.run_("policy", "put", "team", str(root / "crates/policy/src/cedar/team.cedar"))
        cls.log = open(cls.folder / "log", "wb")
        cls.serving = subprocess.Popen(
            [cls.binary, "serve", "--json", "--addr", "127.0.0.1:0"], env=cls.environment, cwd=cls.folder,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=cls.log, text=True,
        )
        ready = json.loads(cls.serving.stdout.readline() or "{}")
        if "api" not in ready:
            raise AssertionError((cls.folder / "log").read_text())
        cls.api = ready["api"].removeprefix("http://")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.serving.terminate()
        cls.serving.wait(LIMIT)
        cls.serving.stdout.close()
        cls.log.close()
        cls.provider.__exit__(None, None, None)
        shutil.rmtree(cls.folder)

    @classmethod
    def run_(cls, *words: str) -> str:
        ran = subprocess.run([cls.binary, *words], env=cls.environment, cwd=cls.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if ran.returncode != 0:
            raise AssertionError(f"{words}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def sent(self) -> tuple[Browser, str]:
        browser = Browser(self.api)
        status, headers, _ = browser.ask("GET", "/v1/session/oidc")
        self.assertEqual(status, 302)
        return browser, headers["location"]

    def failed(self, browser: Browser, path: str, why: str) -> None:
        status, headers, _ = browser.ask("GET", path)
        self.assertEqual(status, 302)
        self.assertEqual(headers["location"], f"/console/#error={why}")
        self.assertNotIn("doorward_session", browser.cookies)

    def test_a_person_signs_in_with_the_roles_of_the_groups(self) -> None:
        browser, location = self.sent()
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)
        self.assertEqual((asked["code_challenge_method"], asked["client_id"]), (["S256"], ["doorward"]))
        back = at_provider(location, "ada")
        status, headers, _ = browser.ask("GET", back)
        self.assertEqual(status, 302)
        shown, _, code = headers["location"].partition("=")
        self.assertEqual(shown, "/console/#code")
        own = {"Sec-Fetch-Site": "same-origin"}
        self.assertEqual(Browser(self.api).ask("POST", "/v1/session", {"code": code}, **own)[0], 401, "half of it is in a cookie")
        status, _, begun = browser.ask("POST", "/v1/session", {"code": code}, **own)
        self.assertEqual((status, set(browser.cookies)), (201, {"doorward_session"}))
        browser.word = begun["csrf"]
        _, _, who = browser.ask("GET", "/v1/session")
        self.assertEqual((who["subject"], who["roles"], who["how"]), ("ada@example.com", ["auditor"], "oidc"))
        self.assertEqual(browser.ask("GET", "/v1/evidence")[0], 200)
        self.assertEqual(browser.ask("POST", "/v1/tenants", {"name": "acme_inc"}, **own)[0], 403, "an auditor only reads")
        self.failed(Browser(self.api), back, "browser")
        evidence = self.run_("evidence", "list", "--json")
        self.assertIn(who["principal"], evidence)
        ran = subprocess.run([self.binary, "role", "grant", who["principal"], "admin"], env=self.environment, capture_output=True, text=True)
        self.assertNotEqual(ran.returncode, 0, "its roles are those of its groups")

    def test_who_has_no_group_with_a_role_does_not_get_in(self) -> None:
        browser, location = self.sent()
        self.failed(browser, at_provider(location, "eve"), "groups")
        browser, location = self.sent()
        self.failed(browser, at_provider(location, "bob"), "claims")

    def test_the_way_back_is_for_the_browser_that_was_sent_and_once(self) -> None:
        browser, location = self.sent()
        back = at_provider(location, "ada")
        other, _ = self.sent()
        self.failed(other, back, "browser")
        self.failed(browser, back, "late")
        browser, location = self.sent()
        back = urllib.parse.urlsplit(at_provider(location, "ada"))
        words = urllib.parse.parse_qs(back.query)
        forged = urllib.parse.urlencode({"code": words["code"][0], "state": "forged"})
        self.failed(browser, f"{back.path}?{forged}", "late")
        browser, _ = self.sent()
        self.failed(browser, f"{back.path}?error=access_denied", "refused")

    def test_a_token_of_another_sign_in_is_refused(self) -> None:
        first, location = self.sent()
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(at_provider(location, "ada")).query)["code"][0]
        second, location = self.sent()
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["state"][0]
        words = urllib.parse.urlencode({"code": code, "state": state})
        self.failed(second, f"/v1/session/oidc/callback?{words}", "token")

    def test_the_page_says_where_people_sign_in(self) -> None:
        _, _, ways = Browser(self.api).ask("GET", "/v1/session/ways")
        self.assertEqual(ways, {"link": True, "key": True, "oidc": {"title": "Example", "url": f"http://{self.api}/v1/session/oidc"}})


if __name__ == "__main__":
    unittest.main()
