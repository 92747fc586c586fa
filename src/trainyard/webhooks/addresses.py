"""Where webhooks may lead: a name is resolved once, and the address that was judged is the one that is called."""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from trainyard.errors import InvalidInput

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# clouds give a machine's own credentials to whoever asks there; the first is link-local, these pass for something else
_METADATA = tuple(ipaddress.ip_address(one) for one in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192"))
_LOOPBACK = ipaddress.ip_address("::1")
# what follows passes for global in some or all versions of Python. These stand for an address of the old kind, in a
# place that only their own network knows or that nobody uses any more:
_TRANSLATED = tuple(ipaddress.ip_network(one) for one in ("64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96"))
_PRIVATE = tuple(ipaddress.ip_network(one) for one in ("192.0.0.0/24", "fec0::/10"))
# of its own: a name server that is silent takes a thread for as long as it likes, and streams need the loop's own
_RESOLVERS = ThreadPoolExecutor(4, "resolve")
_HINT = "TRAINYARD_WEBHOOK_PRIVATE=true allows private addresses and this machine's own."


class Forbidden(InvalidInput):
    """A webhook may not lead there."""

    code = "forbidden_address"


@dataclass(frozen=True, slots=True)
class Target:
    """An address as it is written, taken apart."""

    scheme: str
    host: str
    port: int
    path: str  # with the query

    def at(self, address: Address) -> str:
        """The same, at that address."""
        shown = f"[{address}]" if address.version == 6 else str(address)
        return f"{self.scheme}://{shown}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


def target_of(url: str) -> Target:
    """Raises InvalidInput that names what is wrong with it."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InvalidInput("This is no address.", hint="Write https://host/path.", field="url") from None
    if parts.scheme not in _PORTS or not host or port == 0:
        raise InvalidInput("This is no address of a web server.", hint="Write https://host/path.", field="url")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("An address with a user in it is not taken.", hint="Check the signature.", field="url")
    if parts.fragment or not host.isascii() or any(mark in host for mark in "%\\ "):
        raise InvalidInput("The address has parts that can't be sent.", hint="Write https://host/path.", field="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def check_literal(target: Target, private: bool) -> None:
    """Raises Forbidden for an address of numbers that may not be called. Names are looked at when they are called."""
    try:
        address = ipaddress.ip_address(target.host)
    except ValueError:
        return
    check(address, private)


async def resolve(target: Target, private: bool) -> list[Address]:
    """Every address of its host. Raises Forbidden where one of them may not be called, OSError where there is none."""
    loop = asyncio.get_running_loop()
    looked_up = partial(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM)
    found = await loop.run_in_executor(_RESOLVERS, looked_up)
    addresses = list(dict.fromkeys(ipaddress.ip_address(str(place[4][0]).partition("%")[0]) for place in found))
    for address in addresses:
        check(address, private)
    return addresses


def check(address: Address, private: bool) -> None:
    """Raises Forbidden."""
    for one in _meant(address):
        reserved = one.version == 4 and one.is_reserved
        reserved = reserved or (one != _LOOPBACK and any(one in network for network in _TRANSLATED))
        if one.is_link_local or one.is_multicast or one.is_unspecified or reserved or one in _METADATA:
            raise Forbidden(f"A webhook may not lead to {address}.", hint="No setting allows it.", field="url")
        if not private and (not one.is_global or any(one in network for network in _PRIVATE)):
            what = "this machine" if one.is_loopback else "a private network"
            raise Forbidden(f"A webhook may not lead to {address}: that is {what}.", hint=_HINT, field="url")


def _meant(address: Address) -> list[Address]:
    """With the addresses of the old kind that one of the new kind stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    tunnelled = [address.sixtofour, *(address.teredo or ())]
    return [address, *(one for one in tunnelled if one is not None)]
