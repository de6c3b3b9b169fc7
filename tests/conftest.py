"""What all tests share: where the examples of properties come from."""

from hypothesis import settings

from tests.web.slow_sizes import IS_SLOW

# `make test` tries the same examples everywhere, so that it says the same of the same code; `make slow` tries others
# each time.
settings.register_profile("repeatable", derandomize=True)
if not IS_SLOW:
    settings.load_profile("repeatable")
