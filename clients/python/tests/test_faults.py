"""What the client makes of an agent that is away, slow, wrong or unwilling: `clients/conformance/faults.json`."""

from __future__ import annotations

import re
import unittest
from collections.abc import Mapping
from typing import Any

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


def _add(scenario: Mapping[str, Any], kind: type[Sync] | type[Async]) -> None:
    name = re.sub(r"\W+", "_", scenario["name"])
    setattr(Faults, f"test_{kind.__name__.lower()}_{name}", lambda self: self.play(scenario, kind))


for _scenario in read("faults.json")["scenarios"]:
    for _kind in BOTH:
        _add(_scenario, _kind)
