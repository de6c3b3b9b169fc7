#!/usr/bin/env python
"""Everything that is done to a Cellwright from a terminal: `python manage.py up` starts it."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one should read a sentence, not a traceback.
        sys.exit(f"Cellwright needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Cellwright cannot start: {error}")


if __name__ == "__main__":
    main()
