"""Caveats: what a capability takes away. A closed, typed list; one that is not known refuses the whole token."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from .errors import TokenError

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

KINDS = (
    "integrations",
    "operations",
    "access",
    "resources",
    "hosts",
    "methods",
    "path_prefix",
    "not_before",
    "not_after",
    "hours",
    "cidr",
    "environment",
    "rate",
    "uses",
    "purpose",
    "holder",
    "approval",
    "inputs",
    "reach",
    "window",
    "blackout",
)
ACTIONS = ("read", "write", "delete", "execute", "admin")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_LIST = 64


@dataclass(frozen=True)
class Facts:
    """What is known about a call. A fact that a caveat is about and that is left out breaks the caveat."""

    now: dt.datetime | None = None
    integration: str | None = None
    operation: str | None = None
    access: str | None = None
    resource: str | None = None
    host: str | None = None
    method: str | None = None
    path: str | None = None
    address: str | None = None
    environment: str | None = None
    purpose: str | None = None
    uid: int | None = None
    cgroup: str | None = None
    key: str | None = None
    run: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    secrets: Sequence[str] | None = None
    """The secrets that the integration puts on the request, as the agent names them: ``secret:/slack/token``."""


@dataclass(frozen=True)
class Broken:
    """A caveat that a call breaks, and the words behind "the capability"."""

    kind: str
    says: str


@dataclass(frozen=True)
class Caveat:
    """One thing that a capability does not allow beyond. ``value`` is its JSON form, as in Doorward's files."""

    kind: str
    value: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", _canonical(self.kind, self.value))

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Caveat:
        """From the form of files, such as ``{"uses": 3}``."""
        if len(written) != 1:
            raise TokenError("a caveat has one name, such as `uses`")
        ((kind, value),) = written.items()
        return cls(kind, value)

    def written(self) -> dict[str, Any]:
        """In the form of files."""
        return {self.kind: self.value}

    def encode(self) -> bytes:
        """Its one byte form."""
        content = _content(self.kind, self.value)
        return bytes([KINDS.index(self.kind) + 1]) + u16(len(content)) + content

    @classmethod
    def read(cls, reader: Reader) -> tuple[Caveat, bytes]:
        """Reads one, and answers with its bytes as well."""
        kind, length = reader.number(1), reader.number(2)
        content = reader.take(length)
        if not 1 <= kind <= len(KINDS):
            raise TokenError(f"the capability holds a caveat of the unknown kind {kind}")
        name = KINDS[kind - 1]
        inner = Reader(content)
        caveat = cls(name, _value(name, inner))
        inner.end()
        # The canonical form of what was read must be what was read, or there would be two texts for one token.
        if _content(name, caveat.value) != content:
            raise _malformed("a list is empty or out of order")
        return caveat, bytes([kind]) + u16(length) + content

    def broken(self, facts: Facts) -> Broken | None:
        """What of these facts breaks it, if they do. Rates, uses and approvals are counted by the broker."""
        try:
            kept = _CHECKS[self.kind](self.value, facts)
        except (ValueError, KeyError, zoneinfo.ZoneInfoNotFoundError):
            kept = False
        return None if kept else Broken(self.kind, _says(self, facts))

    def wider(self, parent: Caveat) -> str | None:
        """What of this caveat ``parent`` plainly doesn't allow, in words."""
        return _wider(self, parent)

    def __str__(self) -> str:
        return f"{self.kind} {_shown(self.kind, self.value)}"

    def __hash__(self) -> int:
        return hash(self.encode())


# === makers ===


def integrations(*names: str) -> Caveat:
    """Only these integrations."""
    return Caveat("integrations", list(names))


def operations(*patterns: str) -> Caveat:
    """Only these operations: ``slack/chat.post``, ``slack/chat.*`` or ``slack/*``."""
    return Caveat("operations", list(patterns))


def access(most: str) -> Caveat:
    """At most this access: ``read`` or ``write``."""
    return Caveat("access", most)


def resources(*patterns: str) -> Caveat:
    """Only these resources; a ``*`` at the end stands for anything."""
    return Caveat("resources", list(patterns))


def hosts(*names: str) -> Caveat:
    """Only upstreams of these names, without port."""
    return Caveat("hosts", list(names))


def methods(*names: str) -> Caveat:
    """Only these methods of HTTP."""
    return Caveat("methods", list(names))


def path_prefix(*paths: str) -> Caveat:
    """Only these paths of the upstream and what is below them."""
    return Caveat("path_prefix", list(paths))


def not_before(time: dt.datetime) -> Caveat:
    """From this time on."""
    return Caveat("not_before", show_time(_milliseconds(time)))


def not_after(time: dt.datetime) -> Caveat:
    """Before this time."""
    return Caveat("not_after", show_time(_milliseconds(time)))


def expires(after: dt.timedelta) -> Caveat:
    """Until so long from now, by the clock of this machine."""
    return not_after(dt.datetime.now(dt.timezone.utc) + after)


def hours(days: Iterable[str], start: str, end: str, zone: str) -> Caveat:
    """Only on these days (``mon`` to ``sun``) between these times (``09:00``) in this IANA time zone."""
    return Caveat("hours", {"days": list(days), "from": start, "to": end, "zone": zone})


def cidr(*networks: str) -> Caveat:
    """Only from these networks."""
    return Caveat("cidr", list(networks))


def environment(*names: str) -> Caveat:
    """Only where the broker serves one of these."""
    return Caveat("environment", list(names))


def rate(calls: int, seconds: int) -> Caveat:
    """So many calls in so many seconds."""
    return Caveat("rate", {"calls": calls, "per": f"{seconds}s"})


def uses(most: int) -> Caveat:
    """So many calls ever."""
    return Caveat("uses", most)


def purpose(text: str) -> Caveat:
    """Only for this purpose."""
    return Caveat("purpose", text)


def holder(
    uid: int | None = None, cgroup: str | None = None, key: str | None = None, run: str | None = None
) -> Caveat:
    """Only this process, as the kernel names it, this key (its thumbprint, 64 hex digits), or this run (``run_…``)."""
    facts = {"uid": uid, "cgroup": cgroup, "key": key, "run": run}
    return Caveat("holder", {name: value for name, value in facts.items() if value is not None})


def approval(of: str) -> Caveat:
    """Somebody approves first: ``all`` calls or ``writes``."""
    return Caveat("approval", of)


def inputs(**allowed: Sequence[str]) -> Caveat:
    """Each named input is given and has one of its values."""
    return Caveat("inputs", {name: list(values) for name, values in allowed.items()})


def reach(actions: Sequence[str], resource: str) -> Caveat:
    """Only what the agent's words reach: ``read`` on ``secret:/db/primary``."""
    return Caveat("reach", {"actions": list(actions), "resource": resource})


def window(zones: Sequence[str], hours: Sequence[int] = (), days: Sequence[str] = ()) -> Caveat:
    """Only in these hours (0 to 23) of these days, in each of these time zones; none stands for all."""
    return Caveat("window", {"hours": list(hours), "days": list(days), "zones": list(zones)})


def blackout(*spans: tuple[dt.datetime, dt.datetime]) -> Caveat:
    """Not from the first until before the second of each pair of times."""
    shown = [{"start": show_time(_milliseconds(a)), "end": show_time(_milliseconds(b))} for a, b in spans]
    return Caveat("blackout", shown)


# === the one spelling ===


def _canonical(kind: str, value: Any) -> Any:
    if kind in _LISTS:
        valid, what, order = _LISTS[kind]
        return _list(value, valid, what, order)
    if kind == "cidr":
        networks = [_network(text) for text in _texts(value)]
        return _counted([str(net) for net in sorted(set(networks), key=_network_order)])
    if kind in ("not_before", "not_after"):
        return show_time(_read_time(value))
    if kind == "access" and value in ("read", "write"):
        return value
    if kind == "approval" and value in ("all", "writes"):
        return value
    if kind == "uses" and _is_number(value, 1, 2**64 - 1):
        return value
    if kind == "purpose" and _is_text(value):
        return value
    if kind == "rate":
        calls, seconds = _rate(value)
        return {"calls": calls, "per": f"{seconds}s"}
    if kind == "hours":
        return _hours(value)
    if kind == "holder":
        return _holder(value)
    if kind == "inputs" and isinstance(value, Mapping) and 0 < len(value) <= LONGEST_LIST:
        if not all(_is_text(name) for name in value):
            raise TokenError("an input has a name of 1 to 512 bytes")
        return {name: _list(value[name], _is_text, "a value", _bytes) for name in sorted(value, key=_bytes)}
    if kind == "reach":
        return _reach(value)
    if kind == "window":
        return _window(value)
    if kind == "blackout":
        return _blackout(value)
    if kind not in KINDS:
        raise TokenError(f"`{kind}` is no caveat")
    raise TokenError(f"`{json.dumps(value)}` is no value of `{kind}`")


def _list(value: Any, valid: Callable[[Any], bool], what: str, order: Callable[[str], Any]) -> list[str]:
    entries = _texts(value)
    for entry in entries:
        if not valid(entry):
            raise TokenError(f"`{entry}` is not {what}")
    return _counted(sorted(set(entries), key=order))


def _texts(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
        raise TokenError("a list of texts is expected")
    return list(value)


def _counted(entries: list[str]) -> list[str]:
    if not 0 < len(entries) <= LONGEST_LIST:
        raise TokenError(f"`{len(entries)} entries` is no list: 1 to 64 entries")
    return entries


def _bytes(text: str) -> bytes:
    return text.encode()


def _is_number(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_text(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value.encode("utf-8", "replace")) <= 512:
        return False
    return not _CONTROL.search(value) and value.strip(_SPACE) == value


def _is_integration(text: str) -> bool:
    return bool(_INTEGRATION.fullmatch(text))


def _is_pattern(text: str) -> bool:
    integration, slash, rest = text.partition("/")
    if not slash or not _is_integration(integration):
        return False
    name = rest[:-2] if rest.endswith(".*") else rest
    return rest == "*" or (len(name) <= 63 and all(_LABEL.fullmatch(part) for part in name.split(".")))


def _pattern_order(text: str) -> tuple[bytes, int, bytes]:
    integration, _, rest = text.partition("/")
    shape = 0 if rest == "*" else 1 if rest.endswith(".*") else 2
    name = "" if shape == 0 else rest[:-2] if shape == 1 else rest
    return integration.encode(), shape, name.encode()


def _is_resource(text: str) -> bool:
    if not 0 < len(text.encode("utf-8", "replace")) <= 512 or _CONTROL.search(text) or any(c in _SPACE for c in text):
        return False
    return text.count("*") == 0 or (text.count("*") == 1 and text.endswith("*"))


def _is_host(text: str) -> bool:
    if ":" in text:
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            return False
    plain = re.fullmatch(r"[a-z0-9._:-]{1,253}", text) is not None
    return plain and not text.startswith(".") and not text.endswith(".") and ".." not in text


def _is_path(text: str) -> bool:
    if text != "/" and (not text.startswith("/") or text.endswith("/")):
        return False
    whole = re.fullmatch(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]]|%[0-9A-F]{2})+", text) is not None
    return whole and not any(part.split(";")[0] in (".", "..") for part in text.split("/"))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        if "/" not in text:
            raise ValueError(text)
        network = ipaddress.ip_network(text)
    except ValueError:
        raise TokenError(f"`{text}` is no network: an address and a prefix such as `10.0.0.0/8`") from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise TokenError(f"`{text}` is no network: write IPv4 as IPv4")
    if str(network) != text.lower() and text.split("/")[1] != str(network.prefixlen):
        raise TokenError(f"`{text}` is no network: an address and a prefix such as `10.0.0.0/8`")
    return network


def _network_order(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[int, bytes, int]:
    return network.version, network.network_address.packed, network.prefixlen


def _rate(value: Any) -> tuple[int, int]:
    if isinstance(value, Mapping) and set(value) == {"calls", "per"} and isinstance(value["per"], str):
        match = re.fullmatch(r"([0-9]{1,10})(s|m|h|d)", value["per"])
        if match and _is_number(value["calls"], 1, 2**32 - 1):
            seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
            if 0 < seconds < 2**32:
                return value["calls"], seconds
    raise TokenError('a rate is written `{"calls": 5, "per": "60s"}`')


def _hours(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) and set(value) == {"days", "from", "to", "zone"}:
        days = [day for day in DAYS if day in value["days"]]
        known = set(value["days"]) <= set(DAYS)
        start, end = _minutes(value["from"]), _minutes(value["to"])
        zone = value["zone"]
        named = isinstance(zone, str) and re.fullmatch(r"[!-~]{1,64}", zone)
        if days and known and named and start < 1440 and end != 0 and start != end:
            return {"days": days, "from": value["from"], "to": value["to"], "zone": zone}
    raise TokenError("hours have days such as `mon`, different times such as `09:00` and `17:30`, and a zone")


def _minutes(text: Any) -> int:
    match = re.fullmatch(r"([0-9]{2}):([0-9]{2})", text) if isinstance(text, str) else None
    if match is None:
        raise TokenError("a time of day is written `09:00`")
    hour, minute = int(match[1]), int(match[2])
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        raise TokenError("a time of day is written `09:00`")
    return hour * 60 + minute


def _holder(value: Any) -> dict[str, Any]:
    good = isinstance(value, Mapping) and bool(value) and set(value) <= {"uid", "cgroup", "key", "run"}
    if good and "run" in value:
        good = isinstance(value["run"], str) and _RUN.fullmatch(value["run"]) is not None
    if good and "uid" in value:
        good = _is_number(value["uid"], 0, 2**32 - 1)
    if good and "cgroup" in value:
        good = isinstance(value["cgroup"], str) and _is_below_root(value["cgroup"])
    if good and "key" in value:
        good = isinstance(value["key"], str) and re.fullmatch(r"[0-9a-f]{64}", value["key"]) is not None
    if not good:
        raise TokenError("a holder has a uid, a key, or a cgroup such as `/user.slice`")
    return {name: value[name] for name in ("uid", "cgroup", "key", "run") if name in value}


def _reach(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) and set(value) == {"actions", "resource"} and isinstance(value["resource"], str):
        actions = [action for action in ACTIONS if action in value["actions"]]
        if actions and set(value["actions"]) <= set(ACTIONS) and is_named(value["resource"]):
            return {"actions": actions, "resource": value["resource"]}
    raise TokenError("a reach has actions such as `read`, and a resource such as `secret:/db/primary`")


def is_named(text: str) -> bool:
    """Whether this is the agent's name of a resource, or the beginning of names and a ``*``."""
    word, colon, path = text.partition(":")
    if not colon or word not in ("secret", "op", "log", "tool") or len(text.encode("utf-8", "replace")) > 512:
        return False
    whole = path[:-1] + "x" if path.endswith("*") else path
    plain = _is_path(whole) and len(whole) > 1 and "//" not in whole and not set(whole) & set("*;:")
    return plain and (word != "op" or _names_operations(path))


def _names_operations(path: str) -> bool:
    integration, slash, operation = path[1:].partition("/")
    if not slash:
        return path.endswith("*") and re.fullmatch(r"[a-z0-9._-]*", path[1:-1]) is not None
    start = operation[:-1] if operation.endswith("*") else None
    if start is not None:
        return _is_integration(integration) and re.fullmatch(r"[a-z0-9._-]*", start) is not None
    name = len(operation) <= 63 and all(_LABEL.fullmatch(part) for part in operation.split("."))
    return _is_integration(integration) and name


def _window(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping) and {"zones"} <= set(value) <= {"hours", "days", "zones"}:
        hours, days = value.get("hours", []), value.get("days", [])
        good = all(_is_number(hour, 0, 23) for hour in hours) and set(days) <= set(DAYS)
        zones = _list(value["zones"], _is_zone, "a time zone", _bytes)
        hours, days = sorted(set(hours)), [day for day in DAYS if day in days]
        hours, days = ([] if len(hours) == 24 else hours), ([] if len(days) == 7 else days)
        if good and (hours or days):
            sets = {"hours": hours, "days": days}
            return {**{name: kept for name, kept in sets.items() if kept}, "zones": zones}
    raise TokenError("a window has hours from 0 to 23 and days such as `mon`, not all of both, and zones")


def _is_zone(text: str) -> bool:
    return re.fullmatch(r"[!-~]{1,64}", text) is not None


def _blackout(value: Any) -> list[dict[str, Any]]:
    good = isinstance(value, (list, tuple)) and all(
        isinstance(span, Mapping) and set(span) == {"start", "end"} for span in value
    )
    spans = sorted({(_read_time(span["start"]), _read_time(span["end"])) for span in value}) if good else []
    if not 0 < len(spans) <= LONGEST_LIST or any(start >= end for start, end in spans):
        raise TokenError("a blackout is a list of spans, each with a `start` and a later `end`")
    return [{"start": show_time(start), "end": show_time(end)} for start, end in spans]


def _window_bits(value: Mapping[str, Any]) -> tuple[int, int]:
    hours = sum(1 << hour for hour in value.get("hours", range(24)))
    return hours, sum(1 << DAYS.index(day) for day in value.get("days", DAYS))


def _is_below_root(path: str) -> bool:
    if len(path.encode("utf-8", "replace")) > 1024 or not path.startswith("/") or _CONTROL.search(path):
        return False
    return all(part not in ("", ".", "..") for part in path[1:].split("/"))


# === bytes ===


class Reader:
    """Reads from the front; never looks beyond the end."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, length: int) -> bytes:
        """The next bytes."""
        if len(self.rest) < length:
            raise _malformed("something is missing at its end")
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self, length: int) -> int:
        """The next number of so many bytes."""
        return int.from_bytes(self.take(length), "big")

    def text(self) -> str:
        """The next text, with its length before it."""
        try:
            return self.take(self.number(2)).decode("utf-8")
        except UnicodeDecodeError:
            raise _malformed("a text is not UTF-8") from None

    def texts(self) -> list[str]:
        """The next list."""
        count = self.number(1)
        if count > LONGEST_LIST:
            raise TokenError("a capability cannot hold a list of more than 64 entries")
        return [self.text() for _ in range(count)]

    def end(self) -> None:
        """Nothing may be left."""
        if self.rest:
            raise _malformed("something is left over")


def _content(kind: str, value: Any) -> bytes:
    if kind in _LISTS:
        return _put_list(value)
    if kind == "access":
        return bytes([value == "write"])
    if kind == "approval":
        return bytes([value == "writes"])
    if kind in ("not_before", "not_after"):
        return _read_time(value).to_bytes(8, "big")
    if kind == "uses":
        return int(value).to_bytes(8, "big")
    if kind == "purpose":
        return _put_text(value)
    if kind == "rate":
        calls, seconds = _rate(value)
        return calls.to_bytes(4, "big") + seconds.to_bytes(4, "big")
    if kind == "hours":
        days = sum(1 << DAYS.index(day) for day in value["days"])
        return bytes([days]) + u16(_minutes(value["from"])) + u16(_minutes(value["to"])) + _put_text(value["zone"])
    if kind == "cidr":
        networks = [_network(text) for text in value]
        coded = (bytes([net.version]) + net.network_address.packed + bytes([net.prefixlen]) for net in networks)
        return bytes([len(networks)]) + b"".join(coded)
    if kind == "holder":
        return _put_holder(value)
    if kind == "reach":
        bits = sum(1 << ACTIONS.index(action) for action in value["actions"])
        return bytes([bits]) + _put_text(value["resource"])
    if kind == "window":
        hours, on = _window_bits(value)
        return hours.to_bytes(4, "big") + bytes([on]) + _put_list(value["zones"])
    if kind == "blackout":
        times = (_read_time(time).to_bytes(8, "big") for span in value for time in (span["start"], span["end"]))
        return bytes([len(value)]) + b"".join(times)
    coded = (_put_text(name) + _put_list(values) for name, values in value.items())
    return bytes([len(value)]) + b"".join(coded)


def _put_holder(value: Mapping[str, Any]) -> bytes:
    flags = ("uid" in value) | ("cgroup" in value) << 1 | ("key" in value) << 2 | ("run" in value) << 3
    out = bytes([flags])
    if "uid" in value:
        out += int(value["uid"]).to_bytes(4, "big")
    if "cgroup" in value:
        out += _put_text(value["cgroup"])
    if "key" in value:
        out += bytes.fromhex(value["key"])
    if "run" in value:
        number = sum(LETTERS.index(letter) << 5 * at for at, letter in enumerate(reversed(value["run"][4:])))
        out += number.to_bytes(16, "big")
    return out


def _value(kind: str, reader: Reader) -> Any:
    if kind in _LISTS:
        return reader.texts()
    if kind in ("access", "approval"):
        flag = reader.number(1)
        if flag > 1:
            raise _malformed("a caveat has a wrong value")
        return ("read", "write")[flag] if kind == "access" else ("all", "writes")[flag]
    if kind in ("not_before", "not_after"):
        return show_time(reader.number(8))
    if kind == "uses":
        return reader.number(8)
    if kind == "purpose":
        return reader.text()
    if kind == "rate":
        return {"calls": reader.number(4), "per": f"{reader.number(4)}s"}
    if kind == "hours":
        days, start, end = reader.number(1), reader.number(2), reader.number(2)
        if days > 127:
            raise _malformed("a caveat has a wrong value")
        named = [day for at, day in enumerate(DAYS) if days >> at & 1]
        return {"days": named, "from": _clock(start), "to": _clock(end), "zone": reader.text()}
    if kind == "cidr":
        return [_read_network(reader) for _ in range(reader.number(1))]
    if kind == "holder":
        return _read_holder(reader)
    if kind == "reach":
        bits = reader.number(1)
        if bits > 31:
            raise _malformed("a caveat has a wrong value")
        named = [action for at, action in enumerate(ACTIONS) if bits >> at & 1]
        return {"actions": named, "resource": reader.text()}
    if kind == "window":
        hours, days = reader.number(4), reader.number(1)
        if hours >> 24 or days > 127 or not hours or not days:
            raise _malformed("a caveat has a wrong value")
        named_days = [day for at, day in enumerate(DAYS) if days >> at & 1]
        return {"hours": [at for at in range(24) if hours >> at & 1], "days": named_days, "zones": reader.texts()}
    if kind == "blackout":
        count = reader.number(1)
        return [{"start": show_time(reader.number(8)), "end": show_time(reader.number(8))} for _ in range(count)]
    return {reader.text(): reader.texts() for _ in range(reader.number(1))}


def _read_network(reader: Reader) -> str:
    family = reader.number(1)
    if family not in (4, 6):
        raise _malformed("a caveat has a wrong value")
    address = ipaddress.ip_address(reader.take(4 if family == 4 else 16))
    return f"{address}/{reader.number(1)}"


def _read_holder(reader: Reader) -> dict[str, Any]:
    flags = reader.number(1)
    if flags > 15:
        raise _malformed("a caveat has a wrong value")
    value: dict[str, Any] = {}
    if flags & 1:
        value["uid"] = reader.number(4)
    if flags & 2:
        value["cgroup"] = reader.text()
    if flags & 4:
        value["key"] = reader.take(32).hex()
    if flags & 8:
        value["run"] = ulid("run_", reader.take(16))
    return value


def ulid(prefix: str, data: bytes) -> str:
    """An id as text: 26 letters of Crockford's base 32."""
    number = int.from_bytes(data, "big")
    return prefix + "".join(LETTERS[number >> shift & 31] for shift in range(125, -5, -5))


def u16(number: int) -> bytes:
    """Two bytes, big-endian."""
    if number > 0xFFFF:
        raise TokenError("a capability cannot hold more than 8 KiB")
    return number.to_bytes(2, "big")


def _put_text(text: str) -> bytes:
    coded = text.encode()
    return u16(len(coded)) + coded


def _put_list(entries: Sequence[str]) -> bytes:
    return bytes([len(entries)]) + b"".join(_put_text(entry) for entry in entries)


# === time ===

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
# Beyond this a time is shown as the last moment of the year 9999, as the broker shows it.
_LAST = 253402300799999


def _milliseconds(time: dt.datetime) -> int:
    if time.tzinfo is None:
        raise TokenError("a time needs a time zone")
    since = time - _EPOCH
    return (since.days * 86400 + since.seconds) * 1000 + since.microseconds // 1000


def _read_time(value: Any) -> int:
    """Milliseconds since 1970, from RFC 3339."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise TokenError(f"`{value}` is no time: RFC 3339, such as `2026-11-22T09:00:00Z`")
    fraction = (match[2] or "")[1:4].ljust(3, "0")
    zone = "+00:00" if match[3] in ("Z", "z") else match[3]
    try:
        time = dt.datetime.fromisoformat(match[1].replace("t", "T").replace(" ", "T") + zone)
    except ValueError:
        raise TokenError(f"`{value}` is no time: RFC 3339, such as `2026-11-22T09:00:00Z`") from None
    milliseconds = _milliseconds(time) + int(fraction)
    if milliseconds < 0:
        raise TokenError(f"`{value}` is no time: it lies before 1970")
    return milliseconds


def show_time(milliseconds: int) -> Any:
    """As RFC 3339 with milliseconds; a number where the year has more than four digits."""
    if milliseconds > _LAST:
        return milliseconds
    time = _EPOCH + dt.timedelta(milliseconds=milliseconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}Z"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


# === checks ===


def _needs(fact: Any) -> Any:
    if fact is None:
        raise KeyError
    return fact


def _matches_pattern(pattern: str, integration: str, operation: str) -> bool:
    name, _, shape = pattern.partition("/")
    if name != integration:
        return False
    return shape == "*" or shape == operation or (shape.endswith(".*") and operation.startswith(shape[:-1]))


def _matches_resource(pattern: str, resource: str) -> bool:
    return resource.startswith(pattern[:-1]) if pattern.endswith("*") else resource == pattern


def _matches_path(prefix: str, path: str) -> bool:
    return prefix == "/" or path == prefix or path.startswith(prefix + "/")


def _contains(networks: Sequence[str], text: str) -> bool:
    address: Address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)


def _in_hours(value: Mapping[str, Any], now: dt.datetime) -> bool:
    local = now.astimezone(zoneinfo.ZoneInfo(value["zone"]))
    return _hold(value, local.weekday(), local.hour * 60 + local.minute)


def _hold(value: Mapping[str, Any], day: int, minute: int) -> bool:
    start, end = _minutes(value["from"]), _minutes(value["to"])
    today, yesterday = DAYS[day] in value["days"], DAYS[day - 1] in value["days"]
    if start < end:
        return today and start <= minute < end
    return (today and minute >= start) or (yesterday and minute < end)


def _is_holder(value: Mapping[str, Any], facts: Facts) -> bool:
    same = all(value.get(name) in (None, getattr(facts, name)) for name in ("uid", "key", "run"))
    if not same or "cgroup" not in value:
        return same
    path = _needs(facts.cgroup)
    return _is_below_root(path) and (path == value["cgroup"] or path.startswith(value["cgroup"] + "/"))


def _reaches(value: Mapping[str, Any], facts: Facts) -> bool:
    word, operation = value["resource"].partition(":")[0], _needs(facts.operation)
    has = {action: action in value["actions"] or "admin" in value["actions"] for action in ACTIONS}

    def covers(name: str) -> bool:
        return is_named(name) and not name.endswith("*") and _covers_resource(value["resource"], name)

    if _needs(facts.integration) == "doorward":
        of_secret = {"secret.reveal": "read", "secret.put": "write", "secret.rotate": "write", "secret.forget": "delete"}
        needed = of_secret if word == "secret" else {"log.append": "write"} if word == "log" else {}
        return operation in needed and has[needed[operation]] and covers(_needs(facts.resource))
    reads = facts.access == "read" and has["read"]
    if word == "secret":
        lent = _needs(facts.secrets)
        return bool(lent) and all(map(covers, lent)) and (reads or has["execute"])
    if word == "tool":
        # A tool without a folder is an operation of the integration ``tools``.
        folder = "" if facts.integration == "tools" else f"{facts.integration}/"
        return has["execute"] and covers(f"tool:/{folder}{operation}")
    return word == "op" and covers(f"op:/{facts.integration}/{operation}") and (reads or has["write"] or has["execute"])


def _in_window(value: Mapping[str, Any], now: dt.datetime) -> bool:
    hours, days = _window_bits(value)
    local = [now.astimezone(zoneinfo.ZoneInfo(zone)) for zone in value["zones"]]
    return all(hours >> time.hour & 1 and days >> time.weekday() & 1 for time in local)


def _outside_spans(value: Sequence[Mapping[str, Any]], now: dt.datetime) -> bool:
    at = _milliseconds(now)
    return not any(_read_time(span["start"]) <= at < _read_time(span["end"]) for span in value)


def _check_operations(value: Any, facts: Facts) -> bool:
    integration, operation = _needs(facts.integration), _needs(facts.operation)
    return any(_matches_pattern(pattern, integration, operation) for pattern in value)


_CHECKS: dict[str, Callable[[Any, Facts], bool]] = {
    "integrations": lambda value, facts: _needs(facts.integration) in value,
    "operations": _check_operations,
    "access": lambda value, facts: _needs(facts.access) == "read" or (facts.access, value) == ("write", "write"),
    "resources": lambda value, facts: any(_matches_resource(each, _needs(facts.resource)) for each in value),
    "hosts": lambda value, facts: _needs(facts.host) in value,
    "methods": lambda value, facts: _needs(facts.method) in value,
    "path_prefix": lambda value, facts: any(_matches_path(each, _needs(facts.path)) for each in value),
    "not_before": lambda value, facts: _milliseconds(_needs(facts.now)) >= _read_time(value),
    "not_after": lambda value, facts: _milliseconds(_needs(facts.now)) < _read_time(value),
    "hours": lambda value, facts: _in_hours(value, _needs(facts.now)),
    "cidr": lambda value, facts: _contains(value, _needs(facts.address)),
    "environment": lambda value, facts: _needs(facts.environment) in value,
    "rate": lambda value, facts: True,
    "uses": lambda value, facts: True,
    "purpose": lambda value, facts: _needs(facts.purpose) == value,
    "holder": _is_holder,
    "approval": lambda value, facts: True,
    "reach": _reaches,
    "window": lambda value, facts: _in_window(value, _needs(facts.now)),
    "blackout": lambda value, facts: _outside_spans(value, _needs(facts.now)),
    "inputs": lambda value, facts: all(facts.inputs[name] in values for name, values in value.items()),
}


def _says(caveat: Caveat, facts: Facts) -> str:
    return {
        "integrations": f"does not allow the integration `{facts.integration}`",
        "operations": f"does not allow `{facts.integration}/{facts.operation}`",
        "access": f"allows no {facts.access}",
        "resources": f"does not allow the resource `{facts.resource}`",
        "hosts": "does not allow this host",
        "methods": "does not allow this method",
        "path_prefix": "does not allow this path",
        "not_before": f"is not valid before {caveat.value}",
        "not_after": f"expired at {caveat.value}",
        "hours": "is not valid at this hour",
        "cidr": "is bound to a network",
        "environment": "is not valid in this environment",
        "purpose": "is bound to another purpose",
        "holder": "belongs to another holder",
        "inputs": "does not allow these inputs",
        "reach": f"does not reach `{facts.integration}/{facts.operation}` on `{facts.resource}`",
        "window": "is not valid at this hour",
        "blackout": "is not valid in this period",
    }[caveat.kind]


# === narrowing ===


def _outside(new: Iterable[str], allowed: Callable[[str], bool]) -> str | None:
    return next((entry for entry in new if not allowed(entry)), None)


def _covers_pattern(old: str, new: str) -> bool:
    (old_name, _, shape), (new_name, _, other) = old.partition("/"), new.partition("/")
    if old_name != new_name:
        return False
    if shape == "*" or shape == other:
        return True
    if not shape.endswith(".*") or other == "*":
        return False
    return (other[:-2] if other.endswith(".*") else other).startswith(shape[:-1])


def _covers_resource(old: str, new: str) -> bool:
    return new.startswith(old[:-1]) if old.endswith("*") else old == new


def _covers_network(old: str, new: str) -> bool:
    outer, inner = ipaddress.ip_network(old), ipaddress.ip_network(new)
    if isinstance(outer, ipaddress.IPv4Network) and isinstance(inner, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(outer, ipaddress.IPv6Network) and isinstance(inner, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def _wider(child: Caveat, parent: Caveat) -> str | None:
    new, old, pair = child.value, parent.value, (child.kind, parent.kind)
    if pair == ("integrations", "operations"):
        return _outside(new, lambda name: any(pattern.partition("/")[0] == name for pattern in old))
    if pair == ("operations", "integrations"):
        return _outside(new, lambda pattern: pattern.partition("/")[0] in old)
    if child.kind != parent.kind:
        return None
    if child.kind in _COVERS:
        covers = _COVERS[child.kind]
        return _outside(new, lambda entry: any(covers(allowed, entry) for allowed in old))
    if child.kind == "inputs":
        for name in new:
            outside = _outside(new[name], lambda value: value in old[name]) if name in old else None
            if outside is not None:
                return f"{name}={outside}"
        return None
    return str(child) if _exceeds(child.kind, new, old) else None


def _exceeds(kind: str, new: Any, old: Any) -> bool:
    if kind == "access":
        return bool((new, old) == ("write", "read"))
    if kind == "not_before":
        return _read_time(new) < _read_time(old)
    if kind == "not_after":
        return _read_time(new) > _read_time(old)
    if kind == "uses":
        return bool(new > old)
    if kind == "purpose":
        return bool(new != old)
    if kind == "approval":
        return bool((new, old) == ("writes", "all"))
    if kind == "rate":
        (calls, seconds), (most, every) = _rate(new), _rate(old)
        return calls > most or calls * every > most * seconds
    if kind == "hours":
        if new["zone"] != old["zone"]:
            return False
        week = ((day, minute) for day in range(7) for minute in range(1440))
        return any(_hold(new, day, minute) and not _hold(old, day, minute) for day, minute in week)
    if kind == "window":
        (hours, days), (of_hours, of_days) = _window_bits(new), _window_bits(old)
        return bool(new["zones"] == old["zones"] and (hours & ~of_hours or days & ~of_days))
    if kind == "reach":
        allowed = set(old["actions"])
        fewer = "admin" in allowed or set(new["actions"]) <= allowed
        return not (fewer and _covers_resource(old["resource"], new["resource"]))
    return kind == "holder" and not _holder_within(new, old)


def _holder_within(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether no fact contradicts the parent's; those that are not named apply as well."""
    same = all(new[name] == old[name] for name in ("uid", "key", "run") if name in new and name in old)
    if not same or "cgroup" not in old or "cgroup" not in new:
        return same
    path = new["cgroup"]
    return bool(path == old["cgroup"] or path.startswith(old["cgroup"] + "/"))


def _shown(kind: str, value: Any) -> str:
    if kind == "blackout":
        return ", ".join(f"{span['start']} to {span['end']}" for span in value)
    if kind == "reach":
        return f"{', '.join(value['actions'])} on {value['resource']}"
    if kind == "window":
        hours = ",".join(f"{hour:02}" for hour in value.get("hours", range(24)))
        return f"{','.join(value.get('days', DAYS))} at {hours} {', '.join(value['zones'])}"
    if isinstance(value, list):
        return ", ".join(value)
    if kind == "rate":
        return f"{value['calls']} per {value['per']}"
    if kind == "hours":
        return f"{','.join(value['days'])} {value['from']}-{value['to']} {value['zone']}"
    if kind == "approval":
        return "of all calls" if value == "all" else "of writes"
    if kind == "holder":
        return ", ".join(f"{name} {value[name]}" for name in value)
    if kind == "inputs":
        return "; ".join(f"{name}={', '.join(values)}" for name, values in value.items())
    return str(value)


def _malformed(why: str) -> TokenError:
    return TokenError(f"the capability is not well formed: {why}")


_SPACE = " \t\n\v\f\r\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
_RUN = re.compile(rf"run_[0-7][{LETTERS}]{{25}}")
_LABEL = re.compile(r"[a-z0-9][a-z0-9_-]*")
_INTEGRATION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TIME = re.compile(r"(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

_Rule = tuple[Callable[[Any], bool], str, Callable[[str], Any]]
_LISTS: dict[str, _Rule] = {
    "integrations": (_is_integration, "an integration", _bytes),
    "operations": (_is_pattern, "an operation pattern: `slack/chat.post`, `slack/chat.*` or `slack/*`", _pattern_order),
    "resources": (_is_resource, "a resource, or its beginning and one `*`", _bytes),
    "hosts": (_is_host, "a host name or address without a port", _bytes),
    "methods": (METHODS.__contains__, "GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS", METHODS.index),
    "path_prefix": (_is_path, "a canonical path such as `/api/v4`", _bytes),
    "environment": (_is_text, "a text of 1 to 512 bytes", _bytes),
}
_COVERS: dict[str, Callable[[str, str], bool]] = {
    "integrations": str.__eq__,
    "operations": _covers_pattern,
    "resources": _covers_resource,
    "hosts": str.__eq__,
    "methods": str.__eq__,
    "path_prefix": _matches_path,
    "cidr": _covers_network,
    "environment": str.__eq__,
}
