"""The script of ten lines, run as a person runs it. It drives no browser, and shares the application with those."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from search_engine.export.bundle_file import read_bundle
from tests.running_application import ROOT, RunningApplication, environment_of
from tests.web.slow_sizes import long
from webapp.docs.catalogue import DOCS

pytestmark = long
SECONDS = 400


def in_a_shell(application: RunningApplication, *words: str) -> str:
    """Output of `manage.py`, beside the application that runs."""
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=environment_of(application.folder), text=True,
        capture_output=True, check=True, timeout=SECONDS,
    ).stdout  # fmt: skip


def test_ten_lines_start_a_search_wait_and_download_a_bundle(application: RunningApplication, tmp_path: Path) -> None:
    token = in_a_shell(application, "token", "script").strip()
    environment = os.environ | {
        "CELLWRIGHT_URL": application.address, "CELLWRIGHT_TOKEN": token, "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    told = subprocess.run(
        [sys.executable, DOCS / "examples" / "search_and_bundle.py"], cwd=tmp_path, env=environment, text=True,
        capture_output=True, check=True, timeout=SECONDS,
    ).stdout.splitlines()  # fmt: skip
    assert told[-1] == "bundle.zip" and any(line.startswith("Two-minute demo: finished, 10 of 10") for line in told)
    assert "model.onnx" in zipfile.ZipFile(tmp_path / "bundle.zip").namelist()
    trained = json.loads(in_a_shell(application, "training", "list", "--json"))[0]
    assert trained["state"] == "finished" and read_bundle(tmp_path / "bundle.zip").architecture.hash == trained["hash"]
