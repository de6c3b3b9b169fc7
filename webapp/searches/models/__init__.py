"""The rows: fields, constraints and one-line properties. What changes them is in planner, leases, results, lifecycle.

A stream is what a user owns and watches: a search or a training. Its events are numbered without gaps; its jobs are
what workers do for it. Times are seconds since 1970 by the database's clock (see clock.now). Each file tells a story;
Django finds all of them here.
"""

from webapp.searches.models.people import ImportedArchitecture, OwnData, Request, ShareLink
from webapp.searches.models.searches import Child, Finalist, Search
from webapp.searches.models.streams import (
    SHA256_LENGTH,
    Artifact,
    Event,
    Group,
    Keyframe,
    Owned,
    Share,
    Snapshot,
    Stream,
)
from webapp.searches.models.trainings import Training
from webapp.searches.models.work import NO_CHECKPOINTS, NO_PLACE, Asked, AskedScore, Host, Job, Tally, Worker

__all__ = [
    "NO_CHECKPOINTS",
    "NO_PLACE",
    "SHA256_LENGTH",
    "Artifact",
    "Asked",
    "AskedScore",
    "Child",
    "Event",
    "Finalist",
    "Group",
    "Host",
    "ImportedArchitecture",
    "Job",
    "Keyframe",
    "OwnData",
    "Owned",
    "Request",
    "Search",
    "Share",
    "ShareLink",
    "Snapshot",
    "Stream",
    "Tally",
    "Training",
    "Worker",
]
