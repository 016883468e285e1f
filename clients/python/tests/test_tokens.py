"""Tokens, against `clients/conformance/tokens.json`: what the broker reads, refuses, narrows and checks."""

from __future__ import annotations

import datetime as dt
import pickle
import unittest
from typing import Any

from doorward import Token, TokenError
from doorward.caveat import Caveat, Facts, expires, not_after, uses
from replay import read

TOKENS = read("tokens.json")


class Tokens(unittest.TestCase):
    """The shared vectors, and what is Python's own."""

    def test_every_token_is_read_as_the_broker_reads_it(self) -> None:
        for case in TOKENS["read"]:
            token = Token.parse(case["token"])
            blocks = [
                {"narrowing": block.narrowing, "caveats": [caveat.written() for caveat in block.caveats]}
                for block in token.blocks
            ]
            self.assertEqual((token.tenant, token.grant, blocks), (case["tenant"], case["grant"], case["blocks"]))

    def test_what_is_not_canonical_is_refused(self) -> None:
        for case in TOKENS["refuse"]:
            with self.assertRaises(TokenError, msg=case["why"]):
                Token.parse(case["token"])

    def test_a_narrowing_is_the_brokers_to_the_byte_or_is_refused_as_wider(self) -> None:
        for case in TOKENS["narrow"]:
            parent, id = Token.parse(case["token"]), bytes.fromhex(case["id"])  # noqa: A001
            if "text" in case:
                child = parent.narrow(*map(Caveat.of, case["caveats"]), id=id)
                self.assertEqual(child.expose(), case["text"])
                continue
            with self.assertRaises(TokenError, msg=str(case["caveats"])) as raised:
                parent.narrow(*map(Caveat.of, case["caveats"]), id=id)
            self.assertIn(case["error"], str(raised.exception))

    def test_a_call_keeps_and_breaks_caveats_as_at_the_broker(self) -> None:
        for case in TOKENS["check"]:
            broken = Token.parse(case["token"]).broken(facts(case["facts"]))
            self.assertEqual(broken[0].kind if broken else None, case["broken"], case)

    def test_a_token_is_neither_shown_nor_pickled(self) -> None:
        text = TOKENS["read"][0]["token"]
        token = Token.parse(text)
        self.assertNotIn(text[-20:-8], repr(token))
        with self.assertRaises(TypeError):
            pickle.dumps(token)

    def test_fresh_narrowings_differ_and_a_check_says_what_is_broken(self) -> None:
        parent = Token.parse(TOKENS["read"][-1]["token"])
        self.assertNotEqual(parent.narrow(uses(1)).expose(), parent.narrow(uses(1)).expose())
        child = parent.narrow(not_after(dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)))
        late = Facts(now=dt.datetime(2026, 2, 1, tzinfo=dt.timezone.utc), integration="slack", operation="chat.post")
        with self.assertRaises(TokenError) as raised:
            child.check(late)
        self.assertIn("expired at 2026-01-01T00:00:00.000Z", str(raised.exception))
        soon = parent.narrow(expires(dt.timedelta(minutes=1)))
        soon.check(Facts(now=dt.datetime.now(dt.timezone.utc), integration="slack", operation="chat.post"))


def facts(written: dict[str, Any]) -> Facts:
    """Facts as the script writes them."""
    now = dt.datetime.fromisoformat(written["now"].replace("Z", "+00:00"))
    return Facts(**{**written, "now": now})


if __name__ == "__main__":
    unittest.main()
