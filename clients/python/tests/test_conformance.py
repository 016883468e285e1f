"""The script of `clients/conformance`, against the real agent that `house.py` starts."""

from __future__ import annotations

import json
import os
import socket
import unittest
from typing import Any

from doorward import DoorwardError, Token
from doorward.caveat import Caveat
from replay import BOTH, Async, Sync, agrees, failed, outcome, read

SOCKET = os.environ.get("VAULT_AGENT_SOCKET_PATH")
CONTROL = os.environ.get("DOORWARD_CONTROL")


def control(word: str) -> None:
    """Stops or starts the agent."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(CONTROL))
        line.sendall(word.encode() + b"\n")
        assert line.recv(16) == b"done\n"


class Script:
    """A script under way: what was kept of its answers."""

    def __init__(self, client: Sync | Async) -> None:
        self.client, self.kept = client, dict[str, Any]()

    def filled(self, value: Any) -> Any:
        """The value with what was kept in the place of `$NAME`."""
        if isinstance(value, str) and value.startswith("$"):
            return self.kept[value[1:]]
        if isinstance(value, dict):
            return {key: self.filled(member) for key, member in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value

    def play(self, step: dict[str, Any]) -> None:
        """Plays one step."""
        if "agent" in step:
            control(step["agent"])
        elif "token" in step:
            self.narrow(step)
        elif "parallel" in step:
            answers = self.client.parallel(step["call"], self.filled(step["args"]), step["parallel"])
            counts: dict[str, int] = {}
            for answer in answers:
                counts[answer.get("status", "error")] = counts.get(answer.get("status", "error"), 0) + 1
            assert counts == step["counts"], (counts, answers[:3])
        else:
            args = self.filled(step.get("args", {}))
            self.expect(step, outcome(lambda: self.client.call(step["call"], args)), step["call"])

    def narrow(self, step: dict[str, Any]) -> None:
        """Narrows a token in process."""
        try:
            child = Token.parse(self.filled(step["token"])).narrow(*map(Caveat.of, step["narrow"]))
        except DoorwardError as error:
            self.expect(step, failed(error), "token")
            return
        assert len(child.blocks) == step["blocks"]

    def expect(self, step: dict[str, Any], found: Any, where: str) -> None:
        """Holds an answer against what is expected, and keeps what later steps need."""
        expected = {"error": step["error"]} if "error" in step else self.filled(step["expect"])
        if "error" not in step:
            assert "error" not in found or "status" in found, f"{where}: {found}"
        agrees(expected, found, where)
        for name, path in step.get("keep", {}).items():
            value = found
            for part in path.split("."):
                value = value[part]
            self.kept[name] = value


@unittest.skipUnless(SOCKET and CONTROL, "clients/conformance/house.py starts the agent for it")
class Conformance(unittest.TestCase):
    """Both clients, one after the other: the agent is one."""

    def replay(self, name: str, kind: type[Sync] | type[Async]) -> None:
        client = kind(str(SOCKET), 20)
        script = Script(client)
        for number, step in enumerate(read(name)["steps"], 1):
            with self.subTest(step=number, call=json.dumps(step)[:120]):
                script.play(step)
        client.close()

    def test_the_scripts_hold_against_a_real_agent(self) -> None:
        for name in read("replayed.json")["scripts"]:
            for kind in BOTH:
                self.replay(name, kind)
