"""What the agent answers, as typed objects. ``raw`` of each is the answer as it came, with whatever a later agent adds."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import ProtocolError

Json = Mapping[str, Any]


class Secret:
    """A secret that the agent disclosed. Not shown by ``repr`` or ``str``, not pickled, compared in constant time."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def expose(self) -> bytes:
        """The bytes."""
        return self._data

    def text(self) -> str:
        """The bytes as UTF-8."""
        return self._data.decode("utf-8")

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret is not pickled")

    def __eq__(self, other: object) -> bool:
        import hmac

        return isinstance(other, Secret) and hmac.compare_digest(self._data, other._data)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Capability:
    """A capability. Its id is a name that works for its holder only; ``token`` is there where a bearer was asked for."""

    id: str
    expires_at: dt.datetime
    type: str = ""
    resource: str = ""
    actions: tuple[str, ...] = ()
    identity: str = ""
    issuer: str = ""
    issued_at: dt.datetime | None = None
    ttl: int = 0
    max_uses: int = 0
    used_count: int = 0
    parent: str = ""
    token: str = field(default="", repr=False)
    constraints: Json = field(default_factory=dict)
    metadata: Json = field(default_factory=dict)
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        if self.token:
            raise TypeError("a capability with its token is not pickled; hand on `without_token()`, or the token by itself")
        return dict(self.__dict__)

    def __copy__(self) -> Capability:
        return self

    def __deepcopy__(self, memo: Any) -> Capability:
        return self

    def without_token(self) -> Capability:
        """The same without its token, which works for whoever has it."""
        return replace(self, token="", raw=_without_token(self.raw))

    def is_expired(self, now: dt.datetime | None = None) -> bool:
        """Whether its end has come, by the clock of this machine."""
        return (now or dt.datetime.now(dt.timezone.utc)) >= self.expires_at

    @classmethod
    def of(cls, raw: Any) -> Capability:
        """From an answer of the agent."""
        got = mapping(raw, "a capability")
        return cls(
            id=text(got, "id"),
            expires_at=_time(got, "expires_at"),
            type=str(got.get("type", "")),
            resource=str(got.get("resource", "")),
            actions=tuple(str(action) for action in got.get("actions") or ()),
            identity=str(got.get("identity", "")),
            issuer=str(got.get("issuer", "")),
            issued_at=_time(got, "issued_at") if got.get("issued_at") else None,
            ttl=_number(got, "ttl"),
            max_uses=_number(got, "max_uses", "maxUses"),
            used_count=_number(got, "used_count", "usedCount"),
            parent=str(got.get("parent") or ""),
            token=str(got.get("token") or ""),
            constraints=got.get("constraints") or {},
            metadata=got.get("metadata") or {},
            raw=got,
        )


@dataclass(frozen=True)
class CapabilityResponse:
    """The answer to a request. ``status`` is ``granted``, ``denied``, ``revoked`` or ``error``; look at it first."""

    status: str
    message: str = ""
    capability: Capability | None = None
    request_id: str = ""
    processing_time: str = ""
    policy_result: Json = field(default_factory=dict)
    issues: Sequence[Json] = ()
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @property
    def granted(self) -> bool:
        """Whether there is a capability."""
        return self.status == "granted" and self.capability is not None

    @classmethod
    def of(cls, raw: Any) -> CapabilityResponse:
        """From an answer of the agent."""
        got = mapping(raw, "an answer")
        capability = got.get("capability")
        return cls(
            status=text(got, "status"),
            message=str(got.get("message") or ""),
            capability=Capability.of(capability) if capability else None,
            request_id=str(got.get("request_id") or ""),
            processing_time=str(got.get("processing_time") or ""),
            policy_result=got.get("policy_result") or {},
            issues=tuple(got.get("issues") or ()),
            raw=got,
        )


@dataclass(frozen=True)
class Issue:
    """An error or a warning of a validation, such as ``EXPIRED``."""

    code: str
    message: str = ""
    field: str = ""
    details: Any = None


@dataclass(frozen=True)
class ValidationResult:
    """Whether a capability is valid now. Asking consumes nothing."""

    valid: bool
    errors: tuple[Issue, ...] = ()
    warnings: tuple[Issue, ...] = ()
    validation_time: str = ""
    context: Json = field(default_factory=dict)
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Any) -> ValidationResult:
        """From an answer of the agent."""
        got = mapping(raw, "a validation")
        if not isinstance(got.get("valid"), bool):
            raise ProtocolError("the agent's answer has no `valid`")
        return cls(
            valid=got["valid"],
            errors=_issues(got.get("errors")),
            warnings=_issues(got.get("warnings")),
            validation_time=str(got.get("validation_time") or ""),
            context=got.get("context") or {},
            raw=got,
        )


@dataclass(frozen=True)
class CapabilityList:
    """One page of capabilities."""

    capabilities: tuple[Capability, ...]
    count: int
    limit: int = 0
    offset: int = 0
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Any) -> CapabilityList:
        """From an answer of the agent."""
        got = mapping(raw, "a list")
        listed = got.get("capabilities")
        if not isinstance(listed, list):
            raise ProtocolError("the agent's answer has no `capabilities`")
        found = tuple(Capability.of(each) for each in listed)
        return cls(found, _number(got, "count"), _number(got, "limit"), _number(got, "offset"), got)


@dataclass(frozen=True)
class UseResult:
    """What came of a use: the reply of the service, or of the tool."""

    status: str
    message: str = ""
    http_status: int = 0
    headers: Json = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    exit: int | None = None
    stdout: str = field(default="", repr=False)
    stderr: str = field(default="", repr=False)
    evidence: str = ""
    uses_left: int | None = None
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Any) -> UseResult:
        """From an answer of the agent."""
        got = mapping(raw, "an answer")
        return cls(
            status=text(got, "status"),
            message=str(got.get("message") or ""),
            http_status=_number(got, "http_status"),
            headers=got.get("headers") or {},
            body=bytes_of(got, "body", "body_base64"),
            exit=got.get("exit"),
            stdout=str(got.get("stdout") or ""),
            stderr=str(got.get("stderr") or ""),
            evidence=str(got.get("evidence") or ""),
            uses_left=got.get("uses_left"),
            raw=got,
        )


@dataclass(frozen=True)
class SecretResponse:
    """A disclosed secret, or why there is none."""

    status: str
    value: Secret | None = None
    message: str = ""
    evidence: str = ""

    @classmethod
    def of(cls, raw: Any) -> SecretResponse:
        """From an answer of the agent."""
        got = mapping(raw, "an answer")
        there = "value" in got or "value_base64" in got
        return cls(
            status=text(got, "status"),
            value=Secret(bytes_of(got, "value", "value_base64")) if there else None,
            message=str(got.get("message") or ""),
            evidence=str(got.get("evidence") or ""),
        )


@dataclass(frozen=True)
class LogResponse:
    """That a line is in the evidence, and under which id."""

    status: str
    evidence: str = ""
    message: str = ""
    raw: Json = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: Any) -> LogResponse:
        """From an answer of the agent."""
        got = mapping(raw, "an answer")
        return cls(text(got, "status"), str(got.get("evidence") or ""), str(got.get("message") or ""), got)


def mapping(raw: Any, what: str) -> Json:
    """``raw`` as a JSON object."""
    if not isinstance(raw, Mapping):
        raise ProtocolError(f"the agent answered with something else than {what}")
    return raw


def text(raw: Json, key: str) -> str:
    """A text that has to be there."""
    value = raw.get(key)
    if not isinstance(value, str) or not value:
        raise ProtocolError(f"the agent's answer has no `{key}`")
    return value


def _without_token(raw: Json) -> Json:
    return {name: value for name, value in raw.items() if name != "token"}


def bytes_of(raw: Json, plain: str, coded: str) -> bytes:
    """Bytes, as text or in base 64."""
    if isinstance(raw.get(coded), str):
        try:
            return base64.b64decode(raw[coded], validate=True)
        except ValueError:
            raise ProtocolError(f"`{coded}` of the agent's answer is not base 64") from None
    return str(raw.get(plain) or "").encode()


def _number(raw: Json, *keys: str) -> int:
    for key in keys:
        value = raw.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return 0


def _time(raw: Json, key: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(text(raw, key).replace("Z", "+00:00"))
    except ValueError:
        raise ProtocolError(f"`{key}` of the agent's answer is no time") from None


def _issues(raw: Any) -> tuple[Issue, ...]:
    found = (mapping(each, "an issue") for each in raw or ())
    return tuple(
        Issue(str(each.get("code", "")), str(each.get("message", "")), str(each.get("field", "")), each.get("details"))
        for each in found
    )
