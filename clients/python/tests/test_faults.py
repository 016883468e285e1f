"""What the client makes of an agent that is away, slow, wrong or unwilling: `clients/conformance/faults.json`."""

from __future__ import annotations

import asyncio
import re
import unittest
from collections.abc import Mapping
from typing import Any

from doorward import AsyncClient
from replay import BOTH, Async, Scripted, Sync, agrees, outcome, read


class Faults(unittest.TestCase):
    """One test for each scenario and each client."""

    def play(self, scenario: Mapping[str, Any], kind: type[Sync] | type[Async]) -> None:
        with Scripted(scenario) as scripted:
            client = kind(scripted.path, scenario.get("timeout", 120))
            for step in scenario["calls"]:
                found = outcome(lambda step=step: client.call(step["call"], step.get("args", {})))  # type: ignore[misc]
                expected = {"error": step["error"]} if "error" in step else step["expect"]
                agrees(expected, found, step["call"])
                if "expect" in step:
                    self.assertNotIn("error", found)
                if "then" in step:
                    scripted.wait(step["then"])
            client.close()
            got = scripted.end()
        self.assertEqual(got["wrong"], [])
        self.assertEqual(got["messages"], scenario["received"])


class Cancellation(unittest.TestCase):
    """What a caller of the client for asyncio gives up is given up."""

    def test_a_cancellation_that_comes_together_with_the_answer_is_not_lost(self) -> None:
        async def answered(_: Any) -> int:
            return 1

        async def given_up() -> bool:
            task = asyncio.create_task(AsyncClient("/nowhere")._bounded(answered, True))
            for _ in range(2):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return True
            return False

        self.assertTrue(asyncio.run(given_up()))


def _add(scenario: Mapping[str, Any], kind: type[Sync] | type[Async]) -> None:
    name = re.sub(r"\W+", "_", scenario["name"])
    setattr(Faults, f"test_{kind.__name__.lower()}_{name}", lambda self: self.play(scenario, kind))


for _scenario in read("faults.json")["scenarios"]:
    for _kind in BOTH:
        _add(_scenario, _kind)
