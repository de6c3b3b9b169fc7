"""A run whose harm is done by tests that exist already: they are run by pytest in a process of their own."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree
from collections.abc import Mapping
from pathlib import Path

from tests.faults.campaigns.campaign import Run
from tests.running_application import ROOT


def run_tests(what: str, files: list[str], folder: Path, environment: Mapping[str, str]) -> Run:
    """files: as pytest takes them; environment: what makes them do more than in `make test`."""
    report = folder / "tests.xml"
    command = [sys.executable, "-m", "pytest", "-q", "--junit-xml", str(report), *files]
    told = {name: value for name, value in os.environ.items() if name != "CELLWRIGHT_DATA"}
    done = subprocess.run(command, cwd=ROOT, env=told | environment, stdout=subprocess.PIPE, text=True)
    if not report.exists():
        return Run(what=what, counts={}, problems=[f"pytest ended with status {done.returncode}: {done.stdout[-500:]}"])
    cases = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    problems = [_said(case, trouble) for case in cases for trouble in case if trouble.tag in ("failure", "error")]
    if done.returncode and not problems:
        problems = [f"pytest ended with status {done.returncode}: {done.stdout[-500:]}"]
    return Run(what=what, counts={"tests": len(cases)} | _counted(cases), problems=problems)


def _said(case: xml.etree.ElementTree.Element, trouble: xml.etree.ElementTree.Element) -> str:
    return f"{case.get('name')}: {(trouble.get('message') or 'failed').splitlines()[0]}"


def _counted(cases: list[xml.etree.ElementTree.Element]) -> dict[str, int]:
    """What tests counted themselves (pytest's record_property), added up."""
    counts: dict[str, int] = {}
    for told in (each for case in cases for each in case.iter("property")):
        if re.fullmatch(r"\d+", told.get("value", "")):
            counts[told.get("name", "")] = counts.get(told.get("name", ""), 0) + int(told.get("value", "0"))
    return counts
