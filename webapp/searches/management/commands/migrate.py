"""Django's `migrate`, with each migration and the note that it was applied in one transaction.

Django notes a migration that makes tables with foreign keys after its transaction. Whoever is killed in between finds
at the next start that "the table exists already", and nothing starts any more.
"""

from typing import Any

from django.core.management.commands import migrate
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class WholeMigrations(MigrationExecutor):
    """Applies and notes at one go, where the database can undo what changes tables."""

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        if fake or fake_initial or not migration.atomic or not self.connection.features.can_rollback_ddl:
            return super().apply_migration(state, migration, fake=fake, fake_initial=fake_initial)
        self._tell("apply_start", migration)
        with self.connection.schema_editor(atomic=True) as editor:
            state = migration.apply(state, editor)
            while editor.deferred_sql:  # Keys and indexes, which the editor would make at its end.
                editor.execute(editor.deferred_sql.pop(0), None)
            self.record_migration(migration)
        self._tell("apply_success", migration)
        return state

    def _tell(self, what: str, migration: Migration) -> None:
        if self.progress_callback:
            self.progress_callback(what, migration, False)


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        migrate.MigrationExecutor = WholeMigrations  # The one seam that Django's command has.
        super().handle(*args, **options)
