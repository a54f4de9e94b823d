"""Which addresses of the network a webhook may reach: the platform must not be made to knock at its own inside."""

import ipaddress
import socket
from urllib.parse import urlsplit

from engine.errors import Invalid
from engine.text import Text

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # the last four bytes are an IPv4 address
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class HostUnknown(Invalid):
    sentence = Text("找不到主机“{host}”，请核对网址。", "The host “{host}” can't be found. Check the address.")


class HostInside(Invalid):
    sentence = Text(
        "“{host}”位于本机或内部网络，不能接收推送。",
        "“{host}” is on this machine or in a private network and can't receive webhooks.",
    )


def reachable(url: str, *, private: bool) -> list[tuple[str, int]]:
    """Every (address, port) the host of an http or https address stands for, in the resolver's order.

    Raises HostUnknown, and HostInside unless `private` where even one of them is no public address. Who connects must
    connect to one of these, and not resolve the name again: the second answer may be another.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise HostUnknown(host=host) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not private and not all(_is_public(ipaddress.ip_address(address)) for address in addresses):
        raise HostInside(host=host)
    return [(address, port) for address in addresses]


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast
