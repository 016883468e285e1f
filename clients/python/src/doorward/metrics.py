"""Counters of one client and its cache, for whatever a program exports its metrics with."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from .errors import DoorwardError
from .types import CapabilityResponse, ValidationResult


@dataclass(frozen=True)
class Counted:
    """The counters at one moment."""

    capability_requests: int = 0
    capability_grants: int = 0
    capability_denials: int = 0
    validation_requests: int = 0
    validation_success: int = 0
    validation_failures: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    retries: int = 0
    errors: int = 0


class Metrics:
    """Counts; safe for threads. One may be shared by several clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def count(self, *names: str) -> None:
        """Adds one to each of these."""
        with self._lock:
            for name in names:
                self._counts[name] = self._counts.get(name, 0) + 1

    def now(self) -> Counted:
        """The counters now."""
        with self._lock:
            return Counted(**self._counts)

    def asked(self, type: str) -> None:  # noqa: A002
        """A call begins."""
        if type == "capability_request":
            self.count("capability_requests")
        elif type == "capability_validate":
            self.count("validation_requests")

    def answered(self, result: object, type: str) -> None:  # noqa: A002
        """A call has its answer."""
        if isinstance(result, CapabilityResponse) and type == "capability_request":
            self.count("capability_grants" if result.granted else "capability_denials")
        elif isinstance(result, ValidationResult):
            self.count("validation_success" if result.valid else "validation_failures")

    def failed(self, error: DoorwardError) -> None:
        """A call has failed."""
        self.count("errors")
