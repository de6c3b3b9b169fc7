"""Who can reach this site, and what must not be so where others can."""

import ipaddress
from collections.abc import Iterable

LEAST_SECRET = 50  # Characters, as Django's own check wants them; and
LEAST_DIFFERENT = 5  # so many different ones.


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address, or is called by the name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def why_unsafe(hosts: Iterable[str], *, is_debug: bool, secret: str) -> str:
    """One sentence on why a site with these addresses and names must not start; "" where it may."""
    reachable = next((host for host in hosts if not is_loopback(host)), None)
    if reachable is None:
        return ""
    if is_debug:
        return f"DEBUG shows tracebacks to everybody, and others can reach {reachable}: leave DEBUG out."
    if len(secret) < LEAST_SECRET or len(set(secret)) < LEAST_DIFFERENT:
        return (
            f"SECRET_KEY can be guessed, and others can reach {reachable}: leave it out, or set {LEAST_SECRET} or more"
            " random characters."
        )
    return ""
