"""An agent for tests, in memory: no socket, no broker. It refuses what the real one refuses."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from .client import not_valid
from .errors import NotValid, Refused
from .metrics import Metrics
from .types import (
    Capability,
    CapabilityList,
    CapabilityResponse,
    Issue,
    LogResponse,
    Secret,
    SecretResponse,
    UseResult,
    ValidationResult,
)

T = TypeVar("T")
MAX_TTL = 3600


@dataclass
class _Granted:
    capability: Capability
    used: int = 0
    revoked: bool = False


class Mock:
    """Grants what was allowed, denies the rest, and records each call in ``calls``.

    >>> agent = Mock()
    >>> agent.allow("secret:/db/primary", "read")
    >>> agent.disclose("secret:/db/primary", b"canary")
    >>> app = Application(agent)
    """

    def __init__(self, now: Callable[[], dt.datetime] | None = None) -> None:
        self.metrics = Metrics()
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._now = now or (lambda: dt.datetime.now(dt.timezone.utc))
        self._lock = threading.RLock()
        self._allowed: list[tuple[str, str]] = []
        self._secrets: dict[str, bytes] = {}
        self._replies: dict[tuple[str, str, str], UseResult] = {}
        self._granted: dict[str, _Granted] = {}

    # === what the test says ===

    def allow(self, resource: str, *actions: str) -> None:
        """Grants these actions on a resource; a ``*`` at its end stands for anything."""
        self._allowed += [(resource, action) for action in actions]

    def disclose(self, resource: str, value: bytes) -> None:
        """What `read_secret` answers with."""
        self._secrets[resource] = value

    def reply(self, integration: str, method: str, path: str, result: UseResult) -> None:
        """What `use` answers with."""
        self._replies[integration, method, path] = result

    # === what the program calls ===

    def connect(self) -> None:
        """There is nothing to connect to."""

    def close(self) -> None:
        """There is nothing to close."""

    def ping(self) -> None:
        """Answers."""
        self._record("ping")

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
        """Grants what was allowed."""
        self._record("request", resource=resource, actions=list(actions), ttl=ttl)
        self.metrics.asked("capability_request")
        response = self._decide(resource, actions, ttl or 300, max_uses or 100, identity or "mock")
        self.metrics.answered(response, "capability_request")
        return response

    def validate(self, capability_id: str, context: Mapping[str, Any] | None = None) -> ValidationResult:
        """Whether it is valid now."""
        self._record("validate", capability_id=capability_id)
        self.metrics.asked("capability_validate")
        problem = self._problem(capability_id)
        result = ValidationResult(problem is None, () if problem is None else (problem,))
        self.metrics.answered(result, "capability_validate")
        return result

    def revoke(self, capability_id: str, reason: str | None = None) -> CapabilityResponse:
        """Ends it, and what was narrowed from it."""
        self._record("revoke", capability_id=capability_id, reason=reason)
        with self._lock:
            if capability_id not in self._granted:
                raise Refused("capability not found", "not_found")
            ended = {capability_id}
            for granted in self._granted.values():
                if granted.capability.parent in ended:
                    ended.add(granted.capability.id)
                granted.revoked = granted.revoked or granted.capability.id in ended
        return CapabilityResponse("revoked", "Capability revoked successfully")

    def list(self, **filter: Any) -> CapabilityList:  # noqa: A002
        """What was granted, by ``status`` and ``resource``."""
        self._record("list", **filter)
        with self._lock:
            found = [
                granted.capability
                for granted in self._granted.values()
                if filter.get("status") in (None, self._status(granted))
                and filter.get("resource") in (None, granted.capability.resource)
            ]
        return CapabilityList(tuple(found), len(found))

    def narrow(
        self,
        capability_id: str,
        *,
        actions: Sequence[str] | None = None,
        resource: str | None = None,
        ttl: int | None = None,
        max_uses: int | None = None,
    ) -> CapabilityResponse:
        """A child that allows no more than its parent."""
        self._record("narrow", capability_id=capability_id)
        with self._lock:
            parent = self._living(capability_id).capability
            wanted = tuple(actions) if actions is not None else parent.actions
            if not set(wanted) <= set(parent.actions) or not _covers(parent.resource, resource or parent.resource):
                raise Refused("a narrowing can only take away", "denied")
            left = int((parent.expires_at - self._now()).total_seconds())
            uses = min(max_uses or parent.max_uses, parent.max_uses)
            child = self._grant(resource or parent.resource, wanted, min(ttl or left, left), uses, parent.identity)
            child.capability = _with_parent(child.capability, capability_id)
            return CapabilityResponse("granted", "Capability granted successfully", child.capability)

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
        """The reply that was set, and one use less."""
        self._record("use", capability_id=capability_id, integration=integration, method=method, path=path, body=body)
        problem = self._consume(capability_id)
        if problem is not None:
            return UseResult("denied", problem.message)
        return self._replies.get((integration, method, path), UseResult("ok", http_status=200))

    def use_tool(
        self, capability_id: str, name: str, inputs: Mapping[str, Any] | None = None, *, action: str | None = None
    ) -> UseResult:
        """A tool that ends well, and one use less."""
        self._record("use_tool", capability_id=capability_id, name=name, inputs=dict(inputs or {}))
        problem = self._consume(capability_id)
        return UseResult("denied", problem.message) if problem else UseResult("ok", exit=0)

    def read_secret(self, capability_id: str, resource: str | None = None) -> SecretResponse:
        """What was disclosed for the capability's resource, and one use less."""
        self._record("read_secret", capability_id=capability_id)
        problem = self._consume(capability_id)
        if problem is not None:
            return SecretResponse("denied", message=problem.message)
        value = self._secrets.get(resource or self._granted[capability_id].capability.resource)
        if value is None:
            return SecretResponse("denied", message="the secret is not disclosable")
        return SecretResponse("ok", Secret(value))

    def append_log(
        self,
        capability_id: str,
        message: str,
        fields: Mapping[str, Any] | None = None,
        *,
        resource: str | None = None,
    ) -> LogResponse:
        """Records the line, and one use less."""
        self._record("append_log", capability_id=capability_id, message=message, fields=dict(fields or {}))
        problem = self._consume(capability_id)
        return LogResponse("denied", message=problem.message) if problem else LogResponse("ok", "evd_mock")

    def secure_use(
        self, capability_id: str, usage: Callable[[], T], *, revoke: bool = False, reason: str = "Used successfully"
    ) -> T:
        """As that of the client."""
        result = self.validate(capability_id)
        if not result.valid:
            raise NotValid(not_valid(result), result)
        try:
            return usage()
        finally:
            if revoke:
                self.revoke(capability_id, reason)

    # === inside ===

    def _record(self, call: str, /, **values: Any) -> None:
        with self._lock:
            self.calls.append((call, values))

    def _decide(
        self, resource: str, actions: Sequence[str], ttl: int, max_uses: int, identity: str
    ) -> CapabilityResponse:
        if not resource or not actions:
            raise Refused("resource cannot be empty" if not resource else "actions cannot be empty", "bad_request")
        if ttl > MAX_TTL:
            too_long = f"Invalid request: TTL exceeds maximum allowed: {MAX_TTL} seconds"
            return CapabilityResponse("denied", too_long)
        for action in actions:
            if not any(_covers(pattern, resource) and allowed in (action, "*") for pattern, allowed in self._allowed):
                return CapabilityResponse("denied", "Request denied by policy")
        with self._lock:
            granted = self._grant(resource, tuple(actions), ttl, max_uses, identity)
        return CapabilityResponse("granted", "Capability granted successfully", granted.capability)

    def _grant(self, resource: str, actions: tuple[str, ...], ttl: int, uses: int, identity: str) -> _Granted:
        now = self._now().replace(microsecond=0)
        capability = Capability(
            id=f"cap_mock{len(self._granted) + 1:022}",
            expires_at=now + dt.timedelta(seconds=ttl),
            type=actions[0],
            resource=resource,
            actions=actions,
            identity=identity,
            issuer="mock",
            issued_at=now,
            ttl=ttl,
            max_uses=uses,
        )
        self._granted[capability.id] = granted = _Granted(capability)
        return granted

    def _status(self, granted: _Granted) -> str:
        if granted.revoked:
            return "revoked"
        return "expired" if granted.capability.is_expired(self._now()) else "active"

    def _problem(self, capability_id: str) -> Issue | None:
        with self._lock:
            granted = self._granted.get(capability_id)
            if granted is None:
                return Issue("CAP_NOT_FOUND", "capability not found")
            if granted.revoked:
                return Issue("REVOKED", "the capability was revoked")
            if granted.capability.is_expired(self._now()):
                end = granted.capability.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
                return Issue("EXPIRED", f"Capability expired at {end}", "expires_at")
            if granted.used >= granted.capability.max_uses:
                return Issue("USAGE_LIMIT_EXCEEDED", "all uses are used up", "used_count")
        return None

    def _living(self, capability_id: str) -> _Granted:
        problem = self._problem(capability_id)
        if problem is not None:
            raise Refused(problem.message, "not_found" if problem.code == "CAP_NOT_FOUND" else "denied")
        return self._granted[capability_id]

    def _consume(self, capability_id: str) -> Issue | None:
        with self._lock:
            chain = []
            name = capability_id
            while name:
                problem = self._problem(name)
                if problem is not None:
                    return problem
                chain.append(self._granted[name])
                name = self._granted[name].capability.parent
            for granted in chain:
                granted.used += 1
        return None


def _covers(pattern: str, resource: str) -> bool:
    return resource.startswith(pattern[:-1]) if pattern.endswith("*") else resource == pattern


def _with_parent(capability: Capability, parent: str) -> Capability:
    return replace(capability, parent=parent)
