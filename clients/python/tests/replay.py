"""Replays the scripts of `clients/conformance` through the client, and through that for asyncio."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from doorward import AsyncClient, Client, DoorwardError, Refused, SecretResponse

CONFORMANCE = Path(os.environ.get("DOORWARD_CONFORMANCE") or Path(__file__).resolve().parents[2] / "conformance")


def read(name: str) -> Any:
    """One of the scripts."""
    return json.loads((CONFORMANCE / name).read_text(encoding="utf-8"))


class Scripted:
    """`scripted.py`, playing one scenario."""

    def __init__(self, scenario: Mapping[str, Any]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dw-", dir="/tmp")
        self.path = f"{self._folder.name}/s"
        command = [sys.executable, str(CONFORMANCE / "scripted.py"), self.path]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(scenario) + "\n")
        self._process.stdin.flush()
        self.wait("ready")

    def wait(self, word: str) -> None:
        """Waits until it says so."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        assert said == word, f"{said!r} instead of {word!r}"

    def end(self) -> Any:
        """What it got."""
        out, _ = self._process.communicate(timeout=300)
        self._folder.cleanup()
        return json.loads(out)

    def __enter__(self) -> Scripted:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.communicate(timeout=300)


class Sync:
    """A client that is called by the words of the scripts."""

    def __init__(self, path: str, timeout: float) -> None:
        self.client = Client(path, timeout=timeout)

    def call(self, name: str, args: Mapping[str, Any]) -> Any:
        """Makes one call; its answer as JSON."""
        return told(getattr(self.client, name)(**arguments(name, args)), name)

    def parallel(self, name: str, args: Mapping[str, Any], times: int) -> list[Any]:
        """Makes a call many times at once."""
        answers: list[Any] = []
        lock = threading.Lock()

        def one() -> None:
            answer = outcome(lambda: self.call(name, args))
            with lock:
                answers.append(answer)

        threads = [threading.Thread(target=one) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def close(self) -> None:
        """Ends it."""
        self.client.close()


class Async:
    """The same for asyncio, in a loop of its own."""

    def __init__(self, path: str, timeout: float) -> None:
        self.loop = asyncio.new_event_loop()
        self.client = AsyncClient(path, timeout=timeout)

    async def _call(self, name: str, args: Mapping[str, Any]) -> Any:
        given = arguments(name, args)
        if name == "secure_use":
            plain = given["usage"]

            async def usage() -> Any:
                return plain()

            given["usage"] = usage
        made: Awaitable[Any] = getattr(self.client, name)(**given)
        return told(await made, name)

    def call(self, name: str, args: Mapping[str, Any]) -> Any:
        """Makes one call; its answer as JSON."""
        return self.loop.run_until_complete(self._call(name, args))

    def parallel(self, name: str, args: Mapping[str, Any], times: int) -> list[Any]:
        """Makes a call many times at once."""

        async def all_of_them() -> list[Any]:
            return await asyncio.gather(*(self._call(name, args) for _ in range(times)), return_exceptions=True)

        return [failed(each) if isinstance(each, DoorwardError) else each for each in self.loop.run_until_complete(all_of_them())]

    def close(self) -> None:
        """Ends it."""
        self.loop.run_until_complete(self.client.close())
        self.loop.close()


BOTH: list[type[Sync] | type[Async]] = [Sync, Async]


def arguments(name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as Python has them."""
    given = {key: grown(value) for key, value in args.items()}
    if name == "list":
        return dict(given.get("filter", {}))
    if name == "secure_use":
        given["usage"] = lambda: {"ran": True}
    return given


def grown(value: Any) -> Any:
    """`<large:N>` stands for a text of N letters."""
    match = re.fullmatch(r"<large:(\d+)>", value) if isinstance(value, str) else None
    return "x" * int(match[1]) if match else value


def told(answer: Any, name: str) -> Any:
    """An answer as JSON, in the words of the protocol."""
    if isinstance(answer, SecretResponse):
        value = {} if answer.value is None else {"value": answer.value.text()}
        return {"status": answer.status, "message": answer.message, **value}
    if answer is None:
        return {}
    return dict(getattr(answer, "raw", answer))


def failed(error: DoorwardError) -> dict[str, Any]:
    """A failure in the words of the scripts."""
    refusal = {"code": error.code, "hint": error.hint, "evidence": error.evidence} if isinstance(error, Refused) else {}
    return {"error": {"kind": error.kind, "contains": str(error), **refusal}}


def outcome(made: Callable[[], Any]) -> Any:
    """What came of a call: its answer, or the failure."""
    try:
        return made()
    except DoorwardError as error:
        return failed(error)


def agrees(expected: Any, found: Any, where: str = "the answer") -> None:
    """Every key that is expected is there; `<any>`, `<cap>`, `<time>`, `<text>` and `<has:TEXT>` are placeholders."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), f"{where}: {found!r} is no object"
        for key, value in expected.items():
            assert key in found, f"{where}: `{key}` is missing in {found!r}"
            if key == "contains":
                assert value in found[key], f"{where}: {found[key]!r} has no {value!r}"
            else:
                agrees(value, found[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list) and len(found) == len(expected), f"{where}: {found!r}, not {expected!r}"
        for at, value in enumerate(expected):
            agrees(value, found[at], f"{where}[{at}]")
    elif isinstance(expected, str) and expected.startswith("<") and expected.endswith(">"):
        name, _, text = expected[1:-1].partition(":")
        patterns = {
            "any": r"[\s\S]*",
            "cap": r"cap_\S+",
            "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
            "text": r"[\s\S]+",
            "token": r"cap1_[A-Za-z0-9_-]+",
            "has": r"[\s\S]*" + re.escape(text) + r"[\s\S]*",
        }
        shown = found if isinstance(found, str) else json.dumps(found)
        assert re.fullmatch(patterns[name], shown), f"{where}: {found!r} is no {expected}"
    else:
        assert found == expected, f"{where}: {found!r}, not {expected!r}"
