"""Signing in by a link: whoever can read the terminal or the data folder is the owner."""

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction

from search_engine.errors import UserError
from webapp.accounts.models import User
from webapp.accounts.names import checked_name

OWNER = "owner"
_SALT = "cellwright.sign-in"


class NobodySo(Exception):
    """Somebody who was named in the terminal cannot be signed in or made: a sentence."""


def user_in_terminal(name: str | None) -> User:
    """The active user of this name, made at need; without a name the one who was the first, whatever they are called.

    Raises NobodySo.
    """
    if name is None:
        first = User.objects.filter(is_admin=True, is_active=True).order_by("created").first()
        return first or get_or_create_user(OWNER)
    user = User.objects.filter(name=name).first()
    if user is None:
        try:
            return get_or_create_user(checked_name(name))
        except UserError as error:
            raise NobodySo(f"The name {error.message}") from error
    if not user.is_active:
        raise NobodySo(f"{name} is deactivated; an administrator can let them in again on the page People.")
    return user


def get_or_create_user(name: str) -> User:
    """The user of this name, made at need; two processes may ask at once. The first of all is an administrator."""
    user = User.objects.filter(name=name).first()
    if user is not None:
        return user
    user = User(name=name, is_admin=not User.objects.exists())
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        return User.objects.get(name=name)
    return user


def link_token(user: User) -> str:
    """What makes a link sign this user in, again and again, for a day. Bound to the secret of the data folder."""
    return signing.dumps({"user": str(user.pk)}, salt=_SALT, compress=False)


def user_of_link(token: str) -> User | None:
    """Whom the link signs in; None when it is damaged, too old, or of somebody who left."""
    try:
        value = signing.loads(token, salt=_SALT, max_age=settings.SIGN_IN_LINK_SECONDS)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=value["user"], is_active=True).first()
