"""What the API asks and answers about people: the same for one's own account and for administrators."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field, StrictBool, StrictInt

from webapp.accounts.models import Invitation, User
from webapp.searches import quotas
from webapp.searches.api.replies import Body

Running = Annotated[StrictInt, Field(ge=0, le=10_000)]
Gigabytes = Annotated[float, Field(ge=0, le=1_000_000, strict=True)]
WorkerHours = Annotated[float, Field(ge=0, le=10_000_000, strict=True)]


class Quotas(Body):
    """At most: searches and trainings that are open at a time, of files together in GB, of workers in hours, ever.

    Null stands for no limit.
    """

    running: Running | None = None
    gigabytes: Gigabytes | None = None
    worker_hours: WorkerHours | None = None

    def in_columns(self) -> dict[str, Any]:
        """Of those that were sent, by the names of User.QUOTAS."""
        gigabytes = self.gigabytes
        every = {
            "running": ("most_running", self.running),
            "gigabytes": ("most_bytes", None if gigabytes is None else round(gigabytes * quotas.GIGABYTE)),
            "worker_hours": ("most_worker_hours", self.worker_hours),
        }
        return dict(every[name] for name in self.model_fields_set)


class QuotasReply(BaseModel):
    """At most: searches and trainings that are open, files in GB, hours of workers. Null: no limit."""

    running: int | None
    gigabytes: float | None
    worker_hours: float | None

    @classmethod
    def of(cls, row: User | Invitation) -> "QuotasReply":
        most_bytes = row.most_bytes
        return cls(
            running=row.most_running,
            gigabytes=None if most_bytes is None else most_bytes / quotas.GIGABYTE,
            worker_hours=row.most_worker_hours,
        )


class Used(BaseModel):
    """Of the quotas: what runs, files in GB, hours of workers. What was reserved at a start counts."""

    running: int
    gigabytes: float
    worker_hours: float

    @classmethod
    def of(cls, usage: quotas.Usage) -> "Used":
        return cls(
            running=usage.running,
            gigabytes=usage.bytes / quotas.GIGABYTE,
            worker_hours=usage.worker_seconds / quotas.HOUR,
        )


class PersonReply(BaseModel):
    """A person. Times in seconds since 1970; last_sign_in: null before the first."""

    id: uuid.UUID
    name: str
    is_admin: bool
    is_active: bool
    has_password: bool
    created: float
    last_sign_in: float | None
    quotas: QuotasReply
    used: Used

    @classmethod
    def of(cls, user: User) -> "PersonReply":
        return cls.of_all([user])[0]

    @classmethod
    def of_all(cls, users: Sequence[User]) -> "list[PersonReply]":
        usages = quotas.usages_of([user.pk for user in users])
        return [cls(**told_of(user, usages[user.pk])) for user in users]


class AccountReply(PersonReply):
    """You. email: where notices go, "" for nowhere."""

    email: str

    @classmethod
    def of(cls, user: User) -> "AccountReply":
        return cls(**told_of(user, quotas.usage_of(user)), email=user.email)


class PersonList(BaseModel):
    people: list[PersonReply]
    total: int


class PersonChange(Body):
    """What is left out stays as it is. is_active: false lets somebody out at once, from pages and programs alike."""

    is_admin: StrictBool = False
    is_active: StrictBool = True
    quotas: Quotas = Quotas()

    @property
    def wanted(self) -> dict[str, Any]:
        """By the columns of the user."""
        flags = {name: getattr(self, name) for name in ("is_admin", "is_active") if name in self.model_fields_set}
        return flags | self.quotas.in_columns()


def told_of(user: User, usage: quotas.Usage) -> dict[str, Any]:
    return {
        "id": user.pk,
        "name": user.name,
        "is_admin": user.is_admin,
        "is_active": user.is_active,
        "has_password": user.has_usable_password(),
        "created": user.created.timestamp(),
        "last_sign_in": user.last_login and user.last_login.timestamp(),
        "quotas": QuotasReply.of(user),
        "used": Used.of(usage),
    }
