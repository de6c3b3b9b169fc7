"""Which browser the browser tests drive: the system's Chromium or Chrome, else one that is installed now.

As a program, with --install, it makes sure that there is one: by apt where we are root, else Playwright's own;
else it says so in one line and fails. `chromium_path` is what the tests use.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader",
)  # fmt: skip


def chromium_path() -> str | None:
    """The browser's program, or None: first the system's, then Playwright's own."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).exists() else None


def install() -> bool:
    """Install a browser; True when there is one afterwards."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update"], check=False, env=environment, **quiet)
        for name in ("chromium", "chromium-browser"):
            command = ["apt-get", "install", "-y", "--no-install-recommends", name, "fonts-dejavu-core"]
            if subprocess.run(command, check=False, env=environment, **quiet).returncode == 0 and chromium_path():
                return True
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return chromium_path() is not None


if __name__ == "__main__":
    if not chromium_path() and not ("--install" in sys.argv and install()):
        sys.exit("No browser: install Chromium or Chrome, then run `make test` again.")
