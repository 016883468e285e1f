"""The client for programs with threads. `doorward.aio` has the same for asyncio."""

from __future__ import annotations

import os
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from . import _wire as wire
from ._wire import FRAME, Call, Retry
from .errors import (
    ConnectionLost,
    DoorwardError,
    NotValid,
    OutcomeUnknown,
    ProtocolError,
    Refused,
    TimedOut,
    Unreachable,
)
from .metrics import Metrics
from .types import (
    CapabilityList,
    CapabilityResponse,
    Json,
    LogResponse,
    SecretResponse,
    UseResult,
    ValidationResult,
)

T = TypeVar("T")


class Client:
    """Speaks with an agent; safe for threads, and after a fork.

    ``socket`` is where the agent listens; without it, `VAULT_AGENT_SOCKET_PATH` says where, then the home and
    ``/var/run/vault/agent.sock`` are looked at. ``timeout`` is for a whole call in seconds, its retries included.
    """

    def __init__(
        self,
        socket: str | os.PathLike[str] | None = None,
        *,
        timeout: float = 30.0,
        retry: Retry | None = None,
        max_connections: int = 8,
        metrics: Metrics | None = None,
    ) -> None:
        if timeout <= 0 or max_connections < 1:
            raise ValueError("timeout and max_connections are above zero")
        self.timeout = timeout
        self.retry = retry or Retry()
        self.metrics = metrics or Metrics()
        self._socket = socket
        self._free = threading.Semaphore(max_connections)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._process = os.getpid()

    # === calls ===

    def connect(self) -> None:
        """Opens a first connection, so that a wrong path is noticed now. Every call connects by itself otherwise."""
        self._call_with_retries(lambda deadline: self._give_back(self._dial(deadline)))

    def request(
        self,
        resource: str,
        actions: Sequence[str],
        *,
        ttl: int | None = None,
        max_uses: int | None = None,
        identity: str | None = None,
        purpose: str | None = None,
        constraints: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
        bearer: bool | None = None,
        holder: str | None = None,
    ) -> CapabilityResponse:
        """Asks for a capability. A denial is an answer with the status ``denied``, not an exception."""
        payload = wire.request_payload(
            resource,
            actions,
            ttl=ttl,
            max_uses=max_uses,
            identity=identity,
            purpose=purpose,
            constraints=constraints,
            context=context,
            bearer=bearer,
            holder=holder,
        )
        return self._run(wire.request(payload))

    def validate(self, capability_id: str, context: Mapping[str, Any] | None = None) -> ValidationResult:
        """Whether it is valid now. Consumes nothing."""
        return self._run(wire.validate(capability_id, context))

    def revoke(self, capability_id: str, reason: str | None = None) -> CapabilityResponse:
        """Ends it, and all that was narrowed from it."""
        return self._run(wire.revoke(capability_id, reason))

    def list(self, **filter: Any) -> CapabilityList:  # noqa: A002
        """Capabilities, by ``identity``, ``resource``, ``type``, ``status``, ``limit``, ``offset`` and the like."""
        return self._run(wire.listing(filter))

    def narrow(
        self,
        capability_id: str,
        *,
        actions: Sequence[str] | None = None,
        resource: str | None = None,
        ttl: int | None = None,
        max_uses: int | None = None,
        constraints: Mapping[str, Any] | None = None,
        purpose: str | None = None,
        bearer: bool | None = None,
    ) -> CapabilityResponse:
        """A child that allows less. For tokens there is `doorward.token`, which needs no agent."""
        less = wire.narrow_payload(
            actions=actions,
            resource=resource,
            ttl=ttl,
            max_uses=max_uses,
            constraints=constraints,
            purpose=purpose,
            bearer=bearer,
        )
        return self._run(wire.narrow(capability_id, less))

    def use(
        self,
        capability_id: str,
        *,
        integration: str,
        method: str = "GET",
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        action: str | None = None,
    ) -> UseResult:
        """Sends a request with the credential of an integration put on it; this program never has the credential."""
        return self._run(wire.use_request(capability_id, integration, method, path, headers, body, action))

    def use_tool(
        self, capability_id: str, name: str, inputs: Mapping[str, Any] | None = None, *, action: str | None = None
    ) -> UseResult:
        """Runs a tool that the owner declared."""
        return self._run(wire.use_tool(capability_id, name, inputs or {}, action))

    def read_secret(self, capability_id: str, resource: str | None = None) -> SecretResponse:
        """The secret itself, where it was stored as disclosable and policy allows that."""
        return self._run(wire.read_secret(capability_id, resource))

    def append_log(
        self,
        capability_id: str,
        message: str,
        fields: Mapping[str, Any] | None = None,
        *,
        resource: str | None = None,
    ) -> LogResponse:
        """Appends a line to an evidence stream."""
        return self._run(wire.append_log(capability_id, message, fields, resource))

    def status(self) -> Json:
        """The agent's server: its socket, connections and uptime."""
        return self._run(wire.status())

    def agent_status(self) -> Json:
        """All that the agent says about itself."""
        return self._run(wire.agent_status())

    def ping(self) -> None:
        """Whether an agent answers."""
        self._run(wire.ping())

    def secure_use(
        self, capability_id: str, usage: Callable[[], T], *, revoke: bool = False, reason: str = "Used successfully"
    ) -> T:
        """Validates, runs ``usage``, and revokes afterwards where asked to: also when ``usage`` fails."""
        result = self.validate(capability_id)
        if not result.valid:
            raise NotValid(not_valid(result), result)
        try:
            return usage()
        finally:
            if revoke:
                self.revoke(capability_id, reason)

    # === life ===

    def close(self) -> None:
        """Closes the idle connections. The client may be used again."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # === how a call is made ===

    def _run(self, call: Call[T]) -> T:
        frame = call.frame()
        self.metrics.asked(call.type)
        try:
            result = self._call_with_retries(lambda deadline: self._once(call, frame, deadline))
        except DoorwardError as error:
            self.metrics.failed(error)
            raise
        self.metrics.answered(result, call.type)
        return result

    def _call_with_retries(self, attempt: Callable[[float], T]) -> T:
        deadline = time.monotonic() + self.timeout
        for number in range(max(1, self.retry.attempts)):
            try:
                return attempt(deadline)
            except (Refused, Unreachable, ConnectionLost) as error:
                wait = self.retry.wait(number)
                last = number + 1 >= self.retry.attempts or time.monotonic() + wait >= deadline
                if last or not may_go_again(error):
                    raise
            self.metrics.count("retries")
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _once(self, call: Call[T], frame: bytes, deadline: float) -> T:
        if not self._free.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise TimedOut("timeout: all connections to the agent are busy")
        try:
            connection = self._idle_connection() or self._dial(deadline)
            try:
                line = connection.exchange(frame, deadline, call.repeatable)
                result = call.result(line)
            except Refused:
                # A refusal is a whole answer, so the next one is that to the next message.
                self._give_back(connection)
                raise
            except BaseException:
                connection.close()
                raise
            self._give_back(connection)
            return result
        finally:
            self._free.release()

    def _idle_connection(self) -> _Connection | None:
        with self._lock:
            if self._process != os.getpid():
                # The parent's connections are proven as the parent's, and its answers would come to both.
                idle, self._idle, self._process = self._idle, [], os.getpid()
                for connection in idle:
                    connection.close()
            while self._idle:
                connection = self._idle.pop()
                if connection.is_quiet():
                    return connection
                connection.close()
        return None

    def _give_back(self, connection: _Connection) -> None:
        with self._lock:
            self._idle.append(connection)

    def _dial(self, deadline: float) -> _Connection:
        path = wire.socket_path(self._socket, os.environ)
        return _Connection(path, deadline)


class _Connection:
    def __init__(self, path: str, deadline: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._buffer = bytearray()
        try:
            self._socket.settimeout(_left(deadline))
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise unreachable(path, error) from None

    def exchange(self, frame: bytes, deadline: float, repeatable: bool) -> bytes:
        sent = 0
        try:
            while sent < len(frame):
                self._socket.settimeout(_left(deadline))
                sent += self._socket.send(frame[sent:])
            return self._line(deadline)
        except TimedOut as error:
            if sent and not repeatable:
                raise unknown(error) from None
            raise
        except OSError as error:
            raise self._lost(error, sent, repeatable) from None

    def _lost(self, error: OSError, sent: int, repeatable: bool) -> DoorwardError:
        if isinstance(error, socket.timeout):
            late = TimedOut("timeout: the agent did not answer in time")
            return unknown(late) if sent and not repeatable else late
        lost = ConnectionLost(f"the agent closed the connection before it answered: {error.strerror or error}")
        return unknown(lost) if sent and not repeatable else lost

    def _line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > FRAME:
                raise ProtocolError("the agent's answer is larger than 1 MiB")
            self._socket.settimeout(_left(deadline))
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError(0, "end of file")
            self._buffer += data
        if end > FRAME:
            raise ProtocolError("the agent's answer is larger than 1 MiB")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def is_quiet(self) -> bool:
        """Whether it is open with nothing to read: what nobody asked for is no answer to the next call."""
        return not self._buffer and is_quiet(self._socket.fileno())

    def close(self) -> None:
        self._socket.close()


def is_quiet(descriptor: int) -> bool:
    """Whether nothing is to be read, the end of file included. `select` can't look at descriptors from 1024 on."""
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimedOut("timeout: the agent did not answer in time")
    return left


def may_go_again(error: DoorwardError) -> bool:
    if isinstance(error, Refused):
        return wire.is_passing(error)
    # What was not sent, or changes nothing, may go again; `OutcomeUnknown` never comes here.
    return not (isinstance(error, Unreachable) and error.lasting)


def unreachable(path: str, error: OSError) -> DoorwardError:
    """What a failure to connect means, in words."""
    start = "failed to connect to agent"
    if isinstance(error, socket.timeout):
        return TimedOut(f"{start}: timeout: `{path}` is busy")
    if isinstance(error, FileNotFoundError):
        return Unreachable(f"{start}: connection refused: there is no socket `{path}`")
    if isinstance(error, (ConnectionRefusedError, BlockingIOError)):
        return Unreachable(f"{start}: connection refused: nothing listens on `{path}`")
    failure = Unreachable(f"{start}: {error.strerror or error}: `{path}`")
    failure.lasting = True
    return failure


def unknown(error: DoorwardError) -> OutcomeUnknown:
    """The same for a call that must not be sent twice."""
    return OutcomeUnknown(f"the outcome is unknown: {error}")


def not_valid(result: ValidationResult) -> str:
    """Why a capability is not valid, in the agent's words."""
    reasons = "; ".join(f"{issue.code}: {issue.message}" for issue in result.errors)
    return f"capability is not valid{': ' + reasons if reasons else ''}"
