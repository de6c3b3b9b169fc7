"""Which browser the browser tests drive: Chromium without its own windows, which is quicker; else Chromium or Chrome.

As a program, with --install, it makes sure that there is one: by apt where we are root, else what is there, else
Playwright's own; else it says so in one line and fails. `chromium_path` is what the tests use.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

WINDOWLESS = "chromium-headless-shell"  # Draws the same for a third less of CPU time.
NAMES = (WINDOWLESS, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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
    """Install a browser, the quicker one where it can be had; True when there is one afterwards."""
    if os.geteuid() == 0 and shutil.which("apt-get") and not shutil.which(WINDOWLESS):
        _apt("update")
        for name in (WINDOWLESS, "chromium", "chromium-browser"):
            if chromium_path() and name != WINDOWLESS:
                break
            if _apt("install", "-y", "--no-install-recommends", name, "fonts-dejavu-core"):
                return True
    if not chromium_path():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return chromium_path() is not None


def _apt(*arguments: str) -> bool:
    command = ["apt-get", "-o", "Acquire::Retries=0", "-o", "Acquire::http::Timeout=15", *arguments]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


if __name__ == "__main__":
    if not (install() if "--install" in sys.argv else chromium_path()):
        sys.exit("No browser: install Chromium or Chrome, then run `make test` again.")
