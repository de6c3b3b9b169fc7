"""Secrets in links and tokens: 256 random bits, of which the digest alone is kept."""

import hashlib
import secrets

LONGEST = 100  # Characters that are looked at; ours have 43, and tokens three more.


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Plain, because nobody guesses 256 random bits back."""
    return hashlib.sha256(secret[:LONGEST].encode()).hexdigest()
