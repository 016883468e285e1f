"""Doorward for Python: short-lived capabilities from the agent on this machine.

    from doorward import Client

    with Client() as agent:
        response = agent.request("secret:/db/primary", ["read"], ttl=300)
        if response.granted:
            reply = agent.use(response.capability.id, integration="crm", path="/v1/contacts")

`doorward.aio.AsyncClient` is the same for asyncio, `doorward.token` narrows tokens without any agent, and
`doorward.testing.Mock` stands in for the agent in tests.
"""

from . import aio, caveat, testing, token
from ._wire import Retry
from .aio import AsyncClient
from .cache import Cache, Manager
from .client import Client
from .errors import (
    ConnectionLost,
    Denied,
    DoorwardError,
    NotValid,
    OutcomeUnknown,
    ProtocolError,
    Refused,
    TimedOut,
    TokenError,
    TooLarge,
    Unreachable,
)
from .metrics import Counted, Metrics
from .token import Token
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

__version__ = "0.1.0"
__all__ = [
    "AsyncClient",
    "Cache",
    "Capability",
    "CapabilityList",
    "CapabilityResponse",
    "Client",
    "ConnectionLost",
    "Counted",
    "Denied",
    "DoorwardError",
    "Issue",
    "LogResponse",
    "Manager",
    "Metrics",
    "NotValid",
    "OutcomeUnknown",
    "ProtocolError",
    "Refused",
    "Retry",
    "Secret",
    "SecretResponse",
    "TimedOut",
    "Token",
    "TokenError",
    "TooLarge",
    "Unreachable",
    "UseResult",
    "ValidationResult",
    "aio",
    "caveat",
    "testing",
    "token",
]
