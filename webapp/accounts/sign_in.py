"""Signing in by a link: whoever can read the terminal or the data folder is the owner."""

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction

from webapp.accounts.models import User

OWNER = "owner"
_SALT = "cellwright.sign-in"


def get_or_create_user(name: str) -> User:
    """The user of this name, made at need; two processes may ask at once."""
    user = User.objects.filter(name=name).first()
    if user is not None:
        return user
    user = User(name=name)
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
