"""Capabilities kept until shortly before they end, and a keeper that asks for new ones."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, TypeVar

from . import _wire as wire
from .errors import Denied, DoorwardError
from .metrics import Metrics
from .types import Capability, CapabilityResponse

T = TypeVar("T")
Clock = Callable[[], dt.datetime]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)


class Cache:
    """At most ``size`` capabilities by key, the least recently used going first; safe for threads.

    A capability is given out until ``margin`` seconds before its end, or for nine tenths of its life where that is
    longer, so that it doesn't end on the way.
    """

    def __init__(self, size: int = 1000, margin: float = 5.0, now: Clock = _now) -> None:
        if size < 1 or margin < 0:
            raise ValueError("a cache has at least one place and no negative margin")
        self._size, self._margin, self._now = size, margin, now
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[Capability, dt.datetime]] = OrderedDict()

    def get(self, key: str) -> Capability | None:
        """The capability, where there is one that doesn't end now."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                return None
            if self._now() >= kept[1]:
                del self._kept[key]
                return None
            self._kept.move_to_end(key)
            return kept[0]

    def set(self, key: str, capability: Capability) -> None:
        """Keeps one, in the place of the one before."""
        left = (capability.expires_at - self._now()).total_seconds()
        until = capability.expires_at - dt.timedelta(seconds=max(0.0, min(self._margin, left / 10)))
        with self._lock:
            self._kept[key] = (capability, until)
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def remove(self, capability_id: str) -> None:
        """Forgets a capability under every key."""
        with self._lock:
            for key in [key for key, kept in self._kept.items() if kept[0].id == capability_id]:
                del self._kept[key]

    def sweep(self) -> int:
        """Forgets what has ended; how many that were."""
        with self._lock:
            now = self._now()
            over = [key for key, kept in self._kept.items() if now >= kept[1]]
            for key in over:
                del self._kept[key]
            return len(over)

    def drain(self) -> list[Capability]:
        """Takes all of them out."""
        with self._lock:
            kept, self._kept = self._kept, OrderedDict()
            return [capability for capability, _ in kept.values()]

    def __len__(self) -> int:
        with self._lock:
            return len(self._kept)


class Asks(Protocol):
    """What the keeper needs of a client: `doorward.Client` has it, and `doorward.testing.Mock`."""

    @property
    def metrics(self) -> Metrics:
        """Where hits and misses are counted."""
        ...

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
        """Asks for a capability."""
        ...

    def revoke(self, capability_id: str, reason: str | None = None) -> CapabilityResponse:
        """Ends one."""
        ...

    def secure_use(
        self, capability_id: str, usage: Callable[[], T], *, revoke: bool = False, reason: str = ...
    ) -> T:
        """Validates, runs, and revokes."""
        ...


class Manager:
    """Gives out capabilities from a cache, asks for new ones, sweeps in the background, revokes at the end.

    Threads that want the same capability at the same time ask once. With ``revoke_on_close``, what is still kept is
    revoked when the manager is closed; what the agent can't be told then ends by itself.
    """

    def __init__(
        self,
        client: Asks,
        cache: Cache | None = None,
        *,
        sweep_every: float = 60.0,
        revoke_on_close: bool = False,
    ) -> None:
        self._client, self._cache, self._revoke = client, cache or Cache(), revoke_on_close
        self._lock = threading.Lock()
        self._asking: dict[str, threading.Lock] = {}
        self._done = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, args=(sweep_every,), name="doorward-sweep", daemon=True)
        self._sweeper.start()

    def get(
        self,
        resource: str,
        *actions: str,
        ttl: int | None = None,
        max_uses: int | None = None,
        identity: str | None = None,
        purpose: str | None = None,
        constraints: Mapping[str, Any] | None = None,
    ) -> Capability:
        """A capability from the cache or a new one; `Denied` where the policy says no."""
        wanted = wire.request_payload(
            resource,
            sorted(actions),
            ttl=ttl,
            max_uses=max_uses,
            identity=identity,
            purpose=purpose,
            constraints=constraints,
        )
        key = json.dumps(wanted, sort_keys=True)
        with self._lock_of(key):
            kept = self._cache.get(key)
            if kept is not None:
                self._client.metrics.count("cache_hits")
                return kept
            self._client.metrics.count("cache_misses")
            response = self._client.request(**wanted)
            if response.capability is None or not response.granted:
                raise Denied(f"capability denied: {response.message}", response)
            self._cache.set(key, response.capability)
            return response.capability

    def use(self, resource: str, *actions: str, usage: Callable[[Capability], T], ttl: int | None = None) -> T:
        """Gets a capability, validates it, and runs ``usage`` with it.

        One that was revoked meanwhile is forgotten, so that the next call asks for a new one.
        """
        capability = self.get(resource, *actions, ttl=ttl)
        try:
            return self._client.secure_use(capability.id, lambda: usage(capability))
        except DoorwardError:
            self._cache.remove(capability.id)
            raise

    def revoke(self, capability_id: str, reason: str | None = None) -> None:
        """Ends one, here and at the agent."""
        self._cache.remove(capability_id)
        self._client.revoke(capability_id, reason)

    def close(self) -> None:
        """Stops sweeping, and revokes where that was asked for."""
        self._done.set()
        self._sweeper.join()
        kept = self._cache.drain()
        if not self._revoke:
            return
        for capability in kept:
            try:
                self._client.revoke(capability.id, "the program has ended")
            except DoorwardError:
                continue

    def __enter__(self) -> Manager:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _lock_of(self, key: str) -> threading.Lock:
        with self._lock:
            return self._asking.setdefault(key, threading.Lock())

    def _sweep(self, every: float) -> None:
        while not self._done.wait(every):
            self._cache.sweep()
            with self._lock:
                self._asking = {key: lock for key, lock in self._asking.items() if lock.locked()}
