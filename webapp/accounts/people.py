"""What an administrator changes about a person. Somebody who may do so is always left."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from webapp.accounts.models import User

CHANGEABLE = frozenset({"is_admin", "is_active", *User.QUOTAS})


class LastAdministrator(Exception):
    """Nobody would be left who may change people: a sentence."""

    def __init__(self) -> None:
        super().__init__("This is the last active administrator; make somebody else one first.")


def change_person(user: User, wanted: Mapping[str, Any]) -> User:
    """Write what is wanted, by the names of CHANGEABLE, at once; who is deactivated is out with the next request.

    Raises LastAdministrator. Two administrators who let each other go at the same moment: the second is refused.
    """
    assert wanted.keys() <= CHANGEABLE
    with transaction.atomic():
        # All of them are locked, in one order, so that nobody counts somebody who is just being changed.
        admins = set(
            User.objects.select_for_update()
            .filter(is_admin=True, is_active=True)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        is_left = wanted.get("is_admin", True) and wanted.get("is_active", True)
        if user.pk in admins and not is_left and len(admins) == 1:
            raise LastAdministrator
        User.objects.filter(pk=user.pk).update(**wanted)
    user.refresh_from_db()
    return user


def end_sessions(user: User) -> None:
    """Whoever is signed in as this user is signed out at the next request, everywhere."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        User.objects.filter(pk=user.pk).update(sessions_ended=row.sessions_ended + 1)
    user.refresh_from_db(fields=["sessions_ended"])
