"""Where a webhook may go: to the internet, and to hosts that whoever runs this named. Looked at when it connects.

Names are resolved here, once, and the connection goes to the very address that was looked at: a name that says
something else a moment later changes nothing. Private, link-local, loopback and metadata addresses are refused in every
spelling, because it is the address that is looked at and not its name.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

# IPv6 addresses that carry an IPv4 address: who can be reached through them is not for us to find out.
_WRAPPED = [ipaddress.ip_network(each) for each in ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48")]
LONGEST = 500  # Characters.


class Refused(Exception):
    """Nothing is sent there. The message is a sentence for whoever wanted it."""


def checked_url(url: str) -> SplitResult:
    """The parts of a webhook's address that may be kept. Raises Refused; says nothing of where its name leads."""
    if len(url) > LONGEST or not url.isascii() or any(character <= " " or character == "\\" for character in url):
        raise Refused(f"must be an address of at most {LONGEST} plain characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Refused("is no address that can be read.") from error
    if not host or parts.username is not None or parts.password is not None or port == 0:
        raise Refused("must look like https://example.org/path, without a name or password in it.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_named(host)):
        raise Refused("must begin with https://.")
    return parts


def is_named(host: str) -> bool:
    """Whether whoever runs this named this host: it may be private, and speak http."""
    return host.lower() in {each.lower() for each in settings.WEBHOOK_HOSTS}


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, all of which may be reached. Raises Refused, or OSError where nobody knows the name."""
    found = {str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not is_named(host) and not all(may_reach(address) for address in found):
        raise Refused(
            "The host is on a private network, where nothing is sent unless CELLWRIGHT_WEBHOOK_HOSTS names it."
        )
    return sorted(found)


def may_reach(address: str) -> bool:
    """Whether this is an address on the internet."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return may_reach(str(found.ipv4_mapped))
        if any(found in network for network in _WRAPPED):
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)
