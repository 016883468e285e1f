"""What can go wrong, one class for each thing that a caller may want to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .types import CapabilityResponse, ValidationResult


class DoorwardError(Exception):
    """Any failure of this library. ``kind`` is one word, the same in all of Doorward's client libraries."""

    kind = "error"


class Unreachable(DoorwardError):
    """No agent listens on the socket. Nothing was sent, so the call may be made again."""

    kind = "unreachable"
    lasting = False
    """Whether waiting can't mend it, such as a lack of rights."""


class TimedOut(DoorwardError, TimeoutError):
    """No answer in time to a call that changes nothing, or that may be made again."""

    kind = "timeout"


class ConnectionLost(DoorwardError):
    """The agent closed the connection before it answered."""

    kind = "lost"


class OutcomeUnknown(DoorwardError):
    """The call was sent, and no answer came. It may have been performed; this library doesn't send it twice."""

    kind = "outcome_unknown"


class Refused(DoorwardError):
    """The agent refused the call.

    ``code`` is one of Doorward's refusal codes or ``""``, ``hint`` says what to do, ``evidence`` names the record.
    """

    kind = "refused"

    def __init__(self, message: str, code: str = "", hint: str = "", evidence: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.hint, self.evidence = message, code, hint, evidence


class Denied(DoorwardError):
    """A policy denied the capability. ``response`` is the whole answer."""

    kind = "denied"

    def __init__(self, message: str, response: CapabilityResponse | None = None) -> None:
        super().__init__(message)
        self.response = response


class NotValid(DoorwardError):
    """The capability is not valid any more. ``result`` says why."""

    kind = "not_valid"

    def __init__(self, message: str, result: ValidationResult | None = None) -> None:
        super().__init__(message)
        self.result = result


class ProtocolError(DoorwardError):
    """The other end doesn't speak the agent's protocol."""

    kind = "protocol"


class TooLarge(DoorwardError, ValueError):
    """A message of more than 1 MiB. It was not sent."""

    kind = "too_large"


class TokenError(DoorwardError, ValueError):
    """A capability token that can't be read or narrowed, or a call that it doesn't allow."""

    kind = "token"
