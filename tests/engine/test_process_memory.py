import os
import subprocess
import sys
from pathlib import Path

import pytest

from search_engine.process_memory import MALLOC, keeping_memory

ROOT = Path(__file__).parents[2]
OURS = "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0"


def test_what_was_set_of_the_c_library_stays_as_it_is() -> None:
    assert keeping_memory({"A": "b"}) == {"A": "b", "GLIBC_TUNABLES": OURS, **MALLOC}
    theirs = keeping_memory({"GLIBC_TUNABLES": "glibc.malloc.perturb=1:glibc.malloc.tcache_count=7"})
    assert theirs["GLIBC_TUNABLES"] == (
        "glibc.malloc.perturb=1:glibc.malloc.tcache_count=7:glibc.malloc.hugetlb=1:glibc.malloc.mxfast=0"
    )
    for environment in (theirs, keeping_memory({})):
        assert keeping_memory(environment) == environment


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is set")
def test_a_process_starts_again_once_with_all_that_it_was_given() -> None:
    code = """
import os, sys
from search_engine.process_memory import start_again_keeping_memory
print(os.getpid(), *sys.argv[1:], os.environ.get("MALLOC_TRIM_THRESHOLD_"), sys.flags.no_user_site, flush=True)
start_again_keeping_memory()
"""
    bare = {name: value for name, value in os.environ.items() if name not in MALLOC and name != "GLIBC_TUNABLES"}
    command = [sys.executable, "-s", "-c", code, "search", "a b"]
    finished = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True, timeout=60)
    assert finished.returncode == 0, finished.stderr
    first, second = (line.rsplit(maxsplit=2) for line in finished.stdout.splitlines())
    assert first[0] == second[0] and first[0].endswith("search a b")
    assert (first[1:], second[1:]) == (["None", "1"], [MALLOC["MALLOC_TRIM_THRESHOLD_"], "1"])
