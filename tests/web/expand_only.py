"""What of a migration an earlier version of the program, which still runs beside it, could not live with.

Such a version inserts rows without new columns, reads and writes all columns that it knows, and knows nothing of new
rules. So tables and indexes may come, and columns that the database fills in by itself; columns may take more than
before; nothing may go, be renamed, or be forbidden.
"""

from collections.abc import Iterator
from typing import Any

from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

HARMLESS = (
    operations.CreateModel, operations.AddIndex, operations.RemoveIndex, operations.RenameIndex,
    operations.RemoveConstraint, operations.AlterModelOptions, operations.AlterModelManagers,
)  # fmt: skip
# Of a field's deconstruction: what says nothing to the database, or takes a rule away from it.
SAYS_NOTHING = {"choices", "validators", "default", "help_text", "verbose_name", "blank", "editable", "error_messages",
                "related_name", "db_default", "db_index"}  # fmt: skip


def narrowing(migration: Migration, before: ProjectState) -> list[str]:
    """A sentence for each operation that an earlier version cannot live with. before: the state that it begins with."""
    state, found = before.clone(), []
    for operation in migration.operations:
        found += list(_narrowing(operation, state, migration.app_label))
        operation.state_forwards(migration.app_label, state)
    return found


def _narrowing(operation: Operation, state: ProjectState, app: str) -> Iterator[str]:
    match operation:
        case operations.AddField():
            field = operation.field
            if not (field.many_to_many or field.null or field.db_default is not models.NOT_PROVIDED):
                yield (
                    f"{operation.model_name}.{operation.name} is new, and the database does not fill it in by itself: "
                    "give it db_default, or let it be null."
                )
        case operations.AlterField():
            yield from _altered(operation, state, app)
        case operations.SeparateDatabaseAndState(database_operations=[]):
            return  # The program forgets what the database keeps.
        case _ if isinstance(operation, HARMLESS):
            return
        case _:
            yield f"{operation.describe()}: an earlier version may not be able to live with that."


def _altered(operation: operations.AlterField, state: ProjectState, app: str) -> Iterator[str]:
    """Allowed is a longer text, an empty value, and what says nothing to the database."""
    old = state.models[app, operation.model_name_lower].fields[operation.name]
    was, is_now = _said(old), _said(operation.field)
    for name in sorted(was.keys() | is_now.keys()):
        before, after = was.get(name), is_now.get(name)
        is_wider = (
            before == after
            or (name == "null" and after is True)
            or (name == "unique" and after is None)
            or (name == "max_length" and isinstance(before, int) and isinstance(after, int) and after > before)
        )
        if not is_wider:
            yield f"{operation.model_name}.{operation.name} was {name}={before}, and becomes {after}."


def _said(field: Any) -> dict[str, Any]:
    _, kind, arguments, keywords = field.deconstruct()
    said = {name: value for name, value in keywords.items() if name not in SAYS_NOTHING}
    return said | {"kind": kind, "arguments": list(arguments)}
