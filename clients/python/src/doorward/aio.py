"""The client for asyncio: the calls of `doorward.Client`, awaited."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

from . import _wire as wire
from ._wire import FRAME, Call, Retry
from .client import is_quiet, may_go_again, not_valid, unknown, unreachable
from .errors import ConnectionLost, DoorwardError, NotValid, ProtocolError, Refused, TimedOut, Unreachable
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


class AsyncClient:
    """Speaks with an agent from one event loop. The arguments are those of `doorward.Client`."""

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
        self._free = asyncio.Semaphore(max_connections)
        self._idle: list[_Connection] = []

    # === calls ===

    async def connect(self) -> None:
        """Opens a first connection, so that a wrong path is noticed now."""
        await self._bounded(self._open, repeatable=True)

    async def request(
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
        return await self._run(wire.request(payload))

    async def validate(self, capability_id: str, context: Mapping[str, Any] | None = None) -> ValidationResult:
        """Whether it is valid now. Consumes nothing."""
        return await self._run(wire.validate(capability_id, context))

    async def revoke(self, capability_id: str, reason: str | None = None) -> CapabilityResponse:
        """Ends it, and all that was narrowed from it."""
        return await self._run(wire.revoke(capability_id, reason))

    async def list(self, **filter: Any) -> CapabilityList:  # noqa: A002
        """Capabilities, by ``identity``, ``resource``, ``type``, ``status``, ``limit``, ``offset`` and the like."""
        return await self._run(wire.listing(filter))

    async def narrow(
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
        """A child that allows less."""
        less = wire.narrow_payload(
            actions=actions,
            resource=resource,
            ttl=ttl,
            max_uses=max_uses,
            constraints=constraints,
            purpose=purpose,
            bearer=bearer,
        )
        return await self._run(wire.narrow(capability_id, less))

    async def use(
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
        return await self._run(wire.use_request(capability_id, integration, method, path, headers, body, action))

    async def use_tool(
        self, capability_id: str, name: str, inputs: Mapping[str, Any] | None = None, *, action: str | None = None
    ) -> UseResult:
        """Runs a tool that the owner declared."""
        return await self._run(wire.use_tool(capability_id, name, inputs or {}, action))

    async def read_secret(self, capability_id: str, resource: str | None = None) -> SecretResponse:
        """The secret itself, where it was stored as disclosable and policy allows that."""
        return await self._run(wire.read_secret(capability_id, resource))

    async def append_log(
        self,
        capability_id: str,
        message: str,
        fields: Mapping[str, Any] | None = None,
        *,
        resource: str | None = None,
    ) -> LogResponse:
        """Appends a line to an evidence stream."""
        return await self._run(wire.append_log(capability_id, message, fields, resource))

    async def status(self) -> Json:
        """The agent's server: its socket, connections and uptime."""
        return await self._run(wire.status())

    async def agent_status(self) -> Json:
        """All that the agent says about itself."""
        return await self._run(wire.agent_status())

    async def ping(self) -> None:
        """Whether an agent answers."""
        await self._run(wire.ping())

    async def secure_use(
        self,
        capability_id: str,
        usage: Callable[[], Awaitable[T]],
        *,
        revoke: bool = False,
        reason: str = "Used successfully",
    ) -> T:
        """Validates, awaits ``usage``, and revokes afterwards where asked to: also when ``usage`` fails."""
        result = await self.validate(capability_id)
        if not result.valid:
            raise NotValid(not_valid(result), result)
        try:
            return await usage()
        finally:
            if revoke:
                await self.revoke(capability_id, reason)

    # === life ===

    async def close(self) -> None:
        """Closes the idle connections. The client may be used again."""
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    # === how a call is made ===

    async def _run(self, call: Call[T]) -> T:
        frame = call.frame()
        self.metrics.asked(call.type)
        try:
            result = await self._bounded(lambda sent: self._once(call, frame, sent), call.repeatable)
        except DoorwardError as error:
            self.metrics.failed(error)
            raise
        self.metrics.answered(result, call.type)
        return result

    async def _bounded(self, attempt: Callable[[_Sent], Awaitable[T]], repeatable: bool) -> T:
        # Filled by the attempt that is under way, so that a timeout knows whether anything was sent.
        sent = _Sent()
        task = asyncio.ensure_future(self._call_with_retries(attempt, sent, repeatable))
        # Not `wait_for`: before Python 3.12 a cancellation that comes together with the answer is lost in it.
        try:
            done, _ = await asyncio.wait({task}, timeout=self.timeout)
        except asyncio.CancelledError:
            await _ended(task)
            raise
        if not done:
            await _ended(task)
            if task.cancelled():
                late = TimedOut("timeout: the agent did not answer in time")
                raise unknown(late) if sent.began and not repeatable else late
        return task.result()

    async def _call_with_retries(
        self, attempt: Callable[[_Sent], Awaitable[T]], sent: _Sent, repeatable: bool
    ) -> T:
        for number in range(max(1, self.retry.attempts)):
            sent.began = False
            try:
                return await attempt(sent)
            except ConnectionLost as error:
                if sent.began and not repeatable:
                    raise unknown(error) from None
                if number + 1 >= self.retry.attempts:
                    raise
            except (Refused, Unreachable) as error:
                if number + 1 >= self.retry.attempts or not may_go_again(error):
                    raise
            sent.began = False
            self.metrics.count("retries")
            await asyncio.sleep(self.retry.wait(number))
        raise AssertionError("the last attempt returns or raises")

    async def _open(self, sent: _Sent) -> None:
        self._idle.append(await _Connection.dial(wire.socket_path(self._socket, os.environ)))

    async def _once(self, call: Call[T], frame: bytes, sent: _Sent) -> T:
        async with self._free:
            connection = self._idle_connection()
            if connection is None:
                connection = await _Connection.dial(wire.socket_path(self._socket, os.environ))
            try:
                result = call.result(await connection.exchange(frame, sent))
            except Refused:
                self._idle.append(connection)
                raise
            except BaseException:
                # Also when the task is cancelled: the answer that is still to come is not that to the next message.
                connection.close()
                raise
            self._idle.append(connection)
            return result

    def _idle_connection(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_quiet():
                return connection
            connection.close()
        return None


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancels a task and waits for its end; what it gave is looked at by nobody."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


class _Sent:
    """Whether the attempt that is under way has begun to send."""

    def __init__(self) -> None:
        self.began = False


class _Connection:
    """A socket that is read only while an answer is waited for, so that what comes unasked stays to be seen in it."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket, self._buffer, self._process = plain, bytearray(), os.getpid()

    @classmethod
    async def dial(cls, path: str) -> _Connection:
        plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        plain.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(plain, path)
        except OSError as error:
            plain.close()
            raise unreachable(path, error) from None
        except BaseException:
            plain.close()
            raise
        return cls(plain)

    async def exchange(self, frame: bytes, sent: _Sent) -> bytes:
        try:
            sent.began = True
            await asyncio.get_running_loop().sock_sendall(self._socket, frame)
            return await self._line()
        except OSError as error:
            raise ConnectionLost(
                f"the agent closed the connection before it answered: {error.strerror or error}"
            ) from None

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > FRAME:
                raise ProtocolError("the agent's answer is larger than 1 MiB")
            data = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
            if not data:
                raise ConnectionResetError(0, "end of file")
            self._buffer += data
        if end > FRAME:
            raise ProtocolError("the agent's answer is larger than 1 MiB")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def is_quiet(self) -> bool:
        # The connections of a parent process are proven as the parent's.
        return self._process == os.getpid() and not self._buffer and is_quiet(self._socket.fileno())

    def close(self) -> None:
        self._socket.close()
