"""The grammar of a webhook URL: one strict reading, so that no second parser can see another host in it. Pure."""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, Literal
from urllib.parse import quote, unquote_to_bytes

import idna

from services.notify.networks import Address

Stage = Literal["parse", "resolve", "connect", "redirect"]

MAX_URL: Final = 2048
_URL: Final = re.compile(r"(https?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.IGNORECASE | re.ASCII)
_BRACKETED: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::(.*))?")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_NOT_IDNA: Final = "not an international host name (IDNA 2008)"
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PATH_SAFE: Final = "!$&'()*+,;=:@/-._~%"
_QUERY_SAFE: Final = _PATH_SAFE + "?"


class Forbidden(OSError):
    """The guard refuses this target at `stage`, for `reason`; the owner must give another URL.

    An OSError, because aiohttp passes only those on from a resolver and a socket factory.
    """

    def __init__(self, stage: Stage, reason: str) -> None:
        super().__init__(f"{stage}: {reason}")
        self.stage = stage
        self.reason = reason


@dataclass(frozen=True)
class Target:
    """Where a webhook goes: `url` is ASCII, percent-encoded, without fragment; `host` is lower case, IDNA-encoded."""

    url: str
    scheme: str
    host: str
    port: int
    literal: Address | None


def parse(url: str) -> Target:
    """The target of an absolute http(s) URL. Raises Forbidden("parse", …) on what two parsers could read two ways."""
    _refuse_length(url)
    _refuse_odd_characters(url)
    found = _URL.fullmatch(url)
    if found is None:
        raise Forbidden("parse", "not an absolute https:// URL")
    scheme, authority = found[1].lower(), found[2]
    host, port, literal = _authority(authority, _DEFAULT_PORTS[scheme])
    shown = f"[{host}]" if isinstance(literal, IPv6Address) else host
    where = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
    path = _encoded(found[3], _PATH_SAFE) or "/"
    query = "" if found[4] is None else "?" + _encoded(found[4], _QUERY_SAFE)
    _encoded(found[5] or "", _QUERY_SAFE)  # never sent, but a text that is wrong anywhere is not a URL
    sent = f"{scheme}://{where}{path}{query}"
    _refuse_length(sent)
    return Target(sent, scheme, host, port, literal)


def _refuse_length(url: str) -> None:
    if len(url) > MAX_URL:
        raise Forbidden("parse", f"longer than {MAX_URL} characters as it is sent, percent-encoded")


def _refuse_odd_characters(url: str) -> None:
    for character in url:
        if character <= " " or "\x7f" <= character <= "\xa0" or character == "\\":
            raise Forbidden("parse", "a space, a backslash or a control character")
        if "\ud800" <= character <= "\udfff":
            raise Forbidden("parse", "not Unicode text")


def _authority(authority: str, default_port: int) -> tuple[str, int, Address | None]:
    if "@" in authority:
        raise Forbidden("parse", "user or password in the URL; it would end up in logs")
    if "%" in authority:
        raise Forbidden("parse", "a percent sign in the host")
    if authority.startswith("["):
        return _v6(authority, default_port)
    host, colon, port = authority.partition(":")
    name, literal = _host(host)
    return name, _port(port) if colon else default_port, literal


def _v6(authority: str, default_port: int) -> tuple[str, int, Address]:
    found = _BRACKETED.fullmatch(authority)
    if found is None:
        raise Forbidden("parse", "not an IPv6 address in brackets")
    try:
        address = IPv6Address(found[1])
    except AddressValueError as error:
        raise Forbidden("parse", "not an IPv6 address in brackets") from error
    return str(address), default_port if found[2] is None else _port(found[2]), address


def _port(text: str) -> int:
    # isdigit() alone is true for other scripts' digits, which int() would read.
    if not (text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= 5 and int(text) <= 65535):
        raise Forbidden("parse", "not a port")
    return int(text)


def _host(text: str) -> tuple[str, Address | None]:
    if not text:
        raise Forbidden("parse", "no host")
    name = text.lower() if text.isascii() else _mapped(text)
    literal = _v4(name)
    if literal is not None and text.isascii():
        return name, literal
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Forbidden("parse", "not a host name")
    if labels[-1].isdigit() or re.fullmatch(r"0x[0-9a-f]*", labels[-1]):
        raise Forbidden("parse", "an IPv4 address in a form that parsers read differently")
    for label in labels:
        if label.startswith("xn--"):
            _check_punycode(label)
    return name, None


def _v4(name: str) -> IPv4Address | None:
    try:
        return IPv4Address(name)
    except AddressValueError:
        return None


def _mapped(text: str) -> str:
    try:
        return idna.encode(text, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise Forbidden("parse", _NOT_IDNA) from error


def _check_punycode(label: str) -> None:
    try:
        if idna.encode(idna.decode(label)).decode() == label:
            return
    except (idna.IDNAError, UnicodeError) as error:
        raise Forbidden("parse", _NOT_IDNA) from error
    raise Forbidden("parse", _NOT_IDNA)


def _encoded(text: str, safe: str) -> str:
    """The text as ASCII: UTF-8, percent-encoded; never narrowed to bytes, so 名 (U+540D) holds no CR."""
    if _BAD_ESCAPE.search(text):
        raise Forbidden("parse", "a percent sign that escapes nothing")
    encoded = quote(text, safe=safe)
    if any(byte < 0x20 or byte == 0x7F for byte in unquote_to_bytes(encoded)):
        raise Forbidden("parse", "an escaped control character")
    return encoded
