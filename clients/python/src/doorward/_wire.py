"""The protocol without any socket: what is sent for a call, what may come back, and when a call may be made again."""

from __future__ import annotations

import base64
import json
import os
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Generic, TypeVar

from .errors import DoorwardError, OutcomeUnknown, ProtocolError, Refused, TooLarge
from .types import (
    CapabilityList,
    CapabilityResponse,
    Json,
    LogResponse,
    SecretResponse,
    UseResult,
    ValidationResult,
    mapping,
)

FRAME = 1024 * 1024
SYSTEM_SOCKET = "/var/run/vault/agent.sock"
T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """When a call is made again: ``attempts`` in all, with waits that double from ``first`` to ``longest`` seconds.

    A wait is drawn between half of it and the whole, so that many programs don't come back at one moment.
    """

    attempts: int = 3
    first: float = 0.1
    longest: float = 2.0

    def wait(self, attempt: int) -> float:
        """Seconds before the attempt after this one; the first is 0."""
        whole = min(self.longest, self.first * float(2 ** min(attempt, 30)))
        return whole * random.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One call: its message, the type of its answer, how the answer is read, and whether it may be sent twice."""

    type: str
    payload: Mapping[str, Any]
    answer: str
    read: Callable[[Any], T]
    repeatable: bool
    id: str = field(default_factory=lambda: f"msg_{secrets.token_hex(12)}")

    def frame(self) -> bytes:
        """The line that is sent."""
        envelope: dict[str, Any] = {
            "version": "1.0",
            "type": self.type,
            "id": self.id,
            "timestamp": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "payload": self.payload,
        }
        line = json.dumps(envelope, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        if len(line) > FRAME:
            raise TooLarge(f"the message has {len(line)} bytes; the agent takes at most {FRAME}")
        return line

    def result(self, line: bytes) -> T:
        """Reads the line that came back."""
        try:
            envelope = mapping(json.loads(line), "an envelope")
        except ValueError:
            raise ProtocolError("the agent's answer is not JSON") from None
        kind, payload = envelope.get("type"), envelope.get("payload")
        # A message that the agent could not read has no id that it could answer with.
        unread = kind == "error_response" and not envelope.get("id")
        if envelope.get("id") != self.id and not unread:
            raise ProtocolError("the agent answered another message")
        if envelope.get("version") != "1.0":
            raise ProtocolError(f"the agent speaks version {envelope.get('version')} of the protocol, not 1.0")
        if kind == "error_response":
            raise _refusal(mapping(payload, "an error"))
        if kind != self.answer:
            raise ProtocolError(f"the agent answered with `{kind}` where `{self.answer}` was expected")
        return self.read(payload)


def _refusal(payload: Json) -> DoorwardError:
    def said(key: str) -> str:
        return str(payload.get(key) or "")

    if said("code") == "outcome_unknown":
        # The agent itself gave up waiting for what it had begun.
        return OutcomeUnknown(f"the outcome is unknown: {said('error')}")
    return Refused(said("error") or "refused without a reason", said("code"), said("hint"), said("evidence"))


def is_passing(refused: Refused) -> bool:
    """Whether a refusal may be over in a moment. Nothing was done, so any call may be made again."""
    return refused.code == "rate_limited"


def socket_path(given: str | os.PathLike[str] | None, environment: Mapping[str, str]) -> str:
    """Where the agent is: as given, by `VAULT_AGENT_SOCKET_PATH`, in the home, or of the whole machine."""
    if given is not None:
        return os.fspath(given)
    if environment.get("VAULT_AGENT_SOCKET_PATH"):
        return environment["VAULT_AGENT_SOCKET_PATH"]
    for path in (places := socket_places(environment)):
        if Path(path).is_socket():
            return path
    return places[-1]


def socket_places(environment: Mapping[str, str]) -> list[str]:
    """Where an agent may be, the first one first."""
    home = environment.get("HOME", "")
    places = []
    if environment.get("DOORWARD_HOME"):
        places.append(f"{environment['DOORWARD_HOME']}/socket")
    elif environment.get("XDG_DATA_HOME"):
        places.append(f"{environment['XDG_DATA_HOME']}/doorward/socket")
    elif home:
        places.append(f"{home}/.local/share/doorward/socket")
    if home:
        places.append(f"{home}/.aether-vault/agent.sock")
    return [*places, SYSTEM_SOCKET]


# === calls ===


def given(**values: Any) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def request(payload: Mapping[str, Any]) -> Call[CapabilityResponse]:
    """A lost answer leaves a capability that nobody knows and that expires by itself, so this may be sent again."""
    return Call("capability_request", payload, "capability_response", CapabilityResponse.of, repeatable=True)


def validate(capability_id: str, context: Mapping[str, Any] | None) -> Call[ValidationResult]:
    """Consumes nothing."""
    payload = given(capability_id=capability_id, context=context)
    return Call("capability_validate", payload, "validation_response", ValidationResult.of, repeatable=True)


def revoke(capability_id: str, reason: str | None) -> Call[CapabilityResponse]:
    """Sent once: the answer to a second one would be another."""
    payload = given(capability_id=capability_id, reason=reason)
    return Call("capability_revoke", payload, "capability_response", CapabilityResponse.of, repeatable=False)


def listing(filter: Mapping[str, Any]) -> Call[CapabilityList]:  # noqa: A002
    """Changes nothing."""
    return Call("capability_list", {"filter": filter}, "capability_response", CapabilityList.of, repeatable=True)


def narrow(capability_id: str, less: Mapping[str, Any]) -> Call[CapabilityResponse]:
    """As `request`."""
    payload = {"capability_id": capability_id, **less}
    return Call("capability_narrow", payload, "capability_response", CapabilityResponse.of, repeatable=True)


def use_request(
    capability_id: str,
    integration: str,
    method: str,
    path: str,
    headers: Mapping[str, str] | None,
    body: str | bytes | None,
    action: str | None,
) -> Call[UseResult]:
    """Sent once: it may move money."""
    request = given(integration=integration, method=method, path=path, headers=headers)
    if isinstance(body, bytes):
        request["body_base64"] = base64.b64encode(body).decode("ascii")
    elif body is not None:
        request["body"] = body
    payload = given(capability_id=capability_id, action=action, request=request)
    return Call("capability_use", payload, "use_response", UseResult.of, repeatable=False)


def use_tool(capability_id: str, name: str, inputs: Mapping[str, Any], action: str | None) -> Call[UseResult]:
    """Sent once."""
    payload = given(capability_id=capability_id, action=action, tool={"name": name, "inputs": inputs})
    return Call("capability_use", payload, "use_response", UseResult.of, repeatable=False)


def read_secret(capability_id: str, resource: str | None) -> Call[SecretResponse]:
    """Sent once: each one counts and is recorded as a disclosure."""
    payload = given(capability_id=capability_id, resource=resource)
    return Call("secret_read", payload, "secret_response", SecretResponse.of, repeatable=False)


def append_log(
    capability_id: str, message: str, fields: Mapping[str, Any] | None, resource: str | None
) -> Call[LogResponse]:
    """Sent once, or the line could be there twice."""
    payload = given(capability_id=capability_id, resource=resource, message=message, fields=fields)
    return Call("log_append", payload, "log_response", LogResponse.of, repeatable=False)


def status() -> Call[Json]:
    """Changes nothing."""
    return Call("status_request", {}, "status_response", lambda raw: mapping(raw, "a status"), repeatable=True)


def agent_status() -> Call[Json]:
    """Changes nothing."""
    return Call("agent_status", {}, "agent_status_response", lambda raw: mapping(raw, "a status"), repeatable=True)


def ping() -> Call[Json]:
    """Changes nothing."""
    return Call("ping_request", {}, "ping_response", lambda raw: mapping(raw, "an answer"), repeatable=True)


def request_payload(
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
) -> dict[str, Any]:
    """The payload of a request; what is None is left to the agent."""
    if isinstance(actions, str):
        raise TypeError("actions is a list of texts, such as ['read']")
    return given(
        resource=resource,
        actions=list(actions),
        ttl=ttl,
        max_uses=max_uses,
        identity=identity,
        purpose=purpose,
        constraints=constraints,
        context=context,
        bearer=bearer,
        holder=holder,
    )


def narrow_payload(
    *,
    actions: Sequence[str] | None = None,
    resource: str | None = None,
    ttl: int | None = None,
    max_uses: int | None = None,
    constraints: Mapping[str, Any] | None = None,
    purpose: str | None = None,
    bearer: bool | None = None,
) -> dict[str, Any]:
    """The payload of a narrowing, without the id."""
    return given(
        actions=None if actions is None else list(actions),
        resource=resource,
        ttl=ttl,
        max_uses=max_uses,
        constraints=constraints,
        purpose=purpose,
        bearer=bearer,
    )
