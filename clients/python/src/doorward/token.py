"""Capability tokens (``cap1_…``) in process: read, narrow, check. Needs no key, no agent and no network.

Reading a token proves nothing about who made it: only the broker has the key for that. What this module can say is what
a token allows, so that a program notices a call that must fail before it makes it, and hands on less than it has.

    >>> parent = Token.parse(text)
    >>> child = parent.narrow(access("read"), uses(3), expires(in_ten_minutes))
    >>> child.check(Facts(integration="slack", operation="auth.test", access="read", now=now))
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from .caveat import Broken, Caveat, Facts, Reader, u16, ulid
from .errors import TokenError

__all__ = ["Block", "Token"]

PREFIX = "cap1_"
LONGEST, BLOCKS, CAVEATS = 8192, 32, 64


@dataclass(frozen=True)
class Block:
    """One narrowing: its id, which a revocation may name, and what it takes away."""

    narrowing: str
    caveats: tuple[Caveat, ...]


class Token:
    """A capability in the hands of its holder. Whoever has the text may use it, so it is not shown by ``repr``."""

    __slots__ = ("_signed", "_tag", "_text", "blocks", "grant", "tenant")

    tenant: str
    grant: str
    blocks: tuple[Block, ...]
    _text: str
    _signed: bytes
    _tag: bytes

    def __init__(self) -> None:
        raise TypeError("use Token.parse")

    @classmethod
    def parse(cls, text: str) -> Token:
        """Reads a token. There is one spelling of each; every other text is refused with `TokenError`."""
        if len(text) > LONGEST:
            raise TokenError("a capability cannot hold more than 8 KiB")
        if not text.startswith(PREFIX):
            raise _malformed("it does not start with `cap1_`")
        if len(text) < len(PREFIX) + 7 or not text.isascii():
            raise _malformed("it is too short" if text.isascii() else "it is not ASCII")
        body, tail = text[:-7], text[-7:]
        if tail != "_" + _checksum(body):
            raise TokenError("the capability was mistyped or cut off")
        return cls._read(text, _from_base64(body[len(PREFIX) :]))

    @classmethod
    def _read(cls, text: str, body: bytes) -> Token:
        if len(body) < 32:
            raise _malformed("it is too short")
        signed, tag = body[:-32], body[-32:]
        reader = Reader(signed)
        try:
            tenant = reader.take(reader.number(1)).decode("ascii")
        except UnicodeDecodeError:
            raise _malformed("the tenant") from None
        if not _is_label(tenant):
            raise _malformed("the tenant")
        grant = reader.take(16)
        blocks: list[Block] = []
        ids: set[bytes] = set()
        while reader.rest:
            if len(blocks) == BLOCKS:
                raise TokenError("a capability cannot hold more than 32 narrowings")
            narrowing, block = _read_block(reader.take(reader.number(2)))
            if narrowing in ids:
                raise _malformed("a narrowing comes twice")
            ids.add(narrowing)
            blocks.append(block)
        if not blocks:
            raise _malformed("it has no block")
        token = object.__new__(cls)
        token._text, token._signed, token._tag = text, signed, tag
        token.tenant, token.grant, token.blocks = tenant, ulid("grt_", grant), tuple(blocks)
        return token

    def narrow(self, *caveats: Caveat, id: bytes | None = None) -> Token:  # noqa: A002
        """The same capability with less: these caveats as well.

        ``id`` is 16 bytes that name the narrowing; fresh ones are made where it is left out. A caveat that is plainly
        wider than one that it comes from is refused with `TokenError`, because somebody believes to give more.
        """
        for caveat in caveats:
            for parent in self.caveats:
                wider = caveat.wider(parent)
                if wider is not None:
                    raise TokenError(f"`{wider}` is wider than the grant it comes from")
        name = _fresh() if id is None else id
        if len(name) != 16:
            raise TokenError("the id of a narrowing has 16 bytes")
        block = _block(caveats, name)
        tag = hmac.new(self._tag, block, hashlib.sha256).digest()
        body = self._signed + block + tag
        coded = PREFIX + _to_base64(body)
        text = coded + "_" + _checksum(coded)
        if len(text) > LONGEST:
            raise TokenError("a capability cannot hold more than 8 KiB")
        return Token._read(text, body)

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """All of them, from the root to the last narrowing. They all apply."""
        return tuple(caveat for block in self.blocks for caveat in block.caveats)

    def broken(self, facts: Facts) -> list[Broken]:
        """Every caveat that a call with these facts breaks. A fact that a caveat is about and that is absent breaks it."""
        found = (caveat.broken(facts) for caveat in self.caveats)
        return [broken for broken in found if broken is not None]

    def check(self, facts: Facts) -> None:
        """Raises `TokenError` where a call with these facts breaks a caveat. Kept caveats are no proof: see above."""
        for broken in self.broken(facts):
            raise TokenError(f"the capability {broken.says}")

    def expose(self) -> str:
        """The text, to hand it to its holder."""
        return self._text

    def __repr__(self) -> str:
        return f"Token(tenant={self.tenant!r}, grant={self.grant!r}, blocks={len(self.blocks)})"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a token is not pickled; hand on its text")


def _read_block(data: bytes) -> tuple[bytes, Block]:
    reader = Reader(data)
    narrowing, count = reader.take(16), reader.number(1)
    if count > CAVEATS:
        raise TokenError("a capability cannot hold more than 64 caveats in one narrowing")
    caveats: list[Caveat] = []
    before = b""
    for _ in range(count):
        caveat, coded = Caveat.read(reader)
        if coded <= before:
            raise _malformed("its caveats are out of order")
        before = coded
        caveats.append(caveat)
    reader.end()
    return narrowing, Block(ulid("cap_", narrowing), tuple(caveats))


def _block(caveats: Sequence[Caveat], narrowing: bytes) -> bytes:
    coded = sorted({caveat.encode() for caveat in caveats})
    if len(coded) > CAVEATS:
        raise TokenError("a capability cannot hold more than 64 caveats in one narrowing")
    content = narrowing + bytes([len(coded)]) + b"".join(coded)
    return u16(len(content)) + content


def _fresh() -> bytes:
    return (time.time_ns() // 1_000_000).to_bytes(6, "big") + secrets.token_bytes(10)


def _checksum(text: str) -> str:
    return _to_base64(zlib.crc32(text.encode("ascii")).to_bytes(4, "big"))


def _to_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _malformed("it is not canonical base 64") from None
    if _to_base64(data) != text:
        raise _malformed("it is not canonical base 64")
    return data


def _is_label(text: str) -> bool:
    good = "abcdefghijklmnopqrstuvwxyz0123456789"
    return 0 < len(text) <= 63 and text[0] in good and all(letter in good + "-_" for letter in text)


def _malformed(why: str) -> TokenError:
    return TokenError(f"the capability is not well formed: {why}")
