"""A thin client over urllib. It follows no redirect and uses no proxy but those that the environment names."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

from .operations import OPERATIONS


class ApiError(Exception):
    """What the API refused, or that it did not answer. Never what was sent."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or f"the API answered with {status}"))
        #: The status; 0 where there was no answer.
        self.status = status
        #: The word for it, such as `not_found`; `unreachable` where there was no answer.
        self.code: str = problem.get("code") or "unknown"
        #: What to do.
        self.hint: str | None = problem.get("hint")
        #: The record of it.
        self.evidence: str | None = problem.get("evidence")
        #: The fields that are wrong.
        self.errors: list[dict[str, Any]] = problem.get("errors") or []
        #: After how many seconds it may be tried again.
        self.retry_after: int | None = problem.get("retry_after")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Client:
    """A caller of the API, with a key of it or a capability."""

    def __init__(self, api_key: str, base_url: str = "http://127.0.0.1:8000", timeout: float = 30.0) -> None:
        self._key, self._base, self._timeout = _sendable(api_key), base_url.rstrip("/"), timeout
        self._opener = urllib.request.build_opener(_NoRedirect)

    def __repr__(self) -> str:
        return f"Client({self._base!r})"

    def call(self, name: str, /, *, once: str | None = None, **takes: Any) -> Any:
        """Performs one operation by its name in the document. What it takes is given by name, whatever place it has.

        `once` is an idempotency key: the same key with the same request gives the same answer.
        """
        operation = OPERATIONS[name]
        known = {*operation.query, *operation.head, *operation.body}
        path = operation.path
        for word in [word for word in takes if "{" + word + "}" in path]:
            path = path.replace("{" + word + "}", urllib.parse.quote(str(takes.pop(word)), safe=""))
        if unknown := sorted(set(takes) - known):
            raise TypeError(f"{name} takes no {', '.join(unknown)}")
        query = {word: _said(takes[word]) for word in operation.query if takes.get(word) is not None}
        body = {word: takes[word] for word in operation.body if takes.get(word) is not None}
        target = self._base + path + ("?" + urllib.parse.urlencode(query) if query else "")
        request = urllib.request.Request(target, method=operation.method)
        request.add_header("Authorization", f"Bearer {self._key}")
        for word in operation.head:
            if takes.get(word) is not None:
                request.add_header(word, str(takes[word]))
        if once is not None:
            request.add_header("Idempotency-Key", once)
        if body:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        return self._answered(request)

    def all(self, name: str, /, **takes: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page."""
        cursor: str | None = None
        while True:
            page = self.call(name, **takes, **({} if cursor is None else {"cursor": cursor}))
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _answered(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=self._timeout) as reply:
                said, kind = reply.read(), reply.headers.get("content-type", "")
        except urllib.error.HTTPError as error:
            with error:
                raise ApiError(error.code, _problem(error.read())) from None
        except (OSError, urllib.error.URLError) as error:
            late = isinstance(getattr(error, "reason", error), TimeoutError)
            code, detail = ("timeout", "the API did not answer in time") if late else ("unreachable", "the API can't be reached")
            raise ApiError(0, {"code": code, "detail": detail}) from None
        if not said:
            return None
        return json.loads(said) if kind == "application/json" else said.decode()


def _sendable(key: str) -> str:
    """A key without what stands around it in a file.

    What no header can carry is refused here: what the library says of such a header has the key in it.
    """
    bare = key.strip()
    if not bare or any(not "!" <= letter <= "~" for letter in bare):
        raise ValueError("the API key has characters that no key has, or is empty; it is not shown here")
    return bare


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, (list, tuple)) else str(value)


def _problem(said: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(said)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) else {}
