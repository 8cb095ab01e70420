"""The Chromium of the browser tests: found on this machine, or fetched by `python tests/chromium.py --install`.

`LOOPWATCH_CHROMIUM` names one; else the usual names on PATH, else the one Playwright keeps. Fetching takes the
system's package for root on Debian and Ubuntu (it brings the libraries a browser needs), Playwright's installer
otherwise. Tests that need a browser fail, with the sentence in `MISSING`, where there is none.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

# The headless shell is the same engine without a browser's own windows, which cost as much CPU as the pages.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = (
    "the browser tests need Chromium: install it (Debian and Ubuntu: apt-get install chromium; elsewhere: "
    "python -m playwright install --with-deps chromium) or name one in LOOPWATCH_CHROMIUM"
)
PLAYWRIGHT_TIMEOUT_S = 300
APT_TIMEOUT_S = 900


class ChromiumMissing(RuntimeError):
    """There is no Chromium on this machine; the message says what to install."""


def _is_program(path: str) -> bool:
    return os.access(path, os.X_OK) and Path(path).is_file()


def _of_playwright() -> str | None:
    # Playwright's API would start its driver process only to tell a path; the folder's layout is stable.
    folder = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    found = sorted(folder.glob("chromium-*/chrome-linux*/chrome"))
    found += sorted(folder.glob("chromium-*/chrome-mac*/*.app/Contents/MacOS/*"))
    return str(found[-1]) if found else None


def _search(environment: Mapping[str, str]) -> str | None:
    named = environment.get("LOOPWATCH_CHROMIUM")
    if named:
        path = shutil.which(named) or named
        if not _is_program(path):
            raise ChromiumMissing(f"LOOPWATCH_CHROMIUM names {named}, which is not a program on this machine")
        return path
    return next((path for name in NAMES if (path := shutil.which(name))), None) or _of_playwright()


def find() -> str:
    """Finds the browser of the tests.

    Returns:
        The path of its program.

    Raises:
        ChromiumMissing: there is none; the message says what to install.
    """
    path = _search(os.environ)
    if path is None:
        raise ChromiumMissing(MISSING)
    return path


def launch_arguments() -> list[str]:
    """The switches a test's browser starts with: no sandbox for root, and no traffic of the browser's own."""
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-gpu",
        "--disable-quic",
    ]
    return [*quiet, "--no-sandbox"] if _is_root() else quiet


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _succeeds(*command: str, timeout_s: int) -> bool:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _install_package() -> bool:
    if not _is_root() or shutil.which("apt-get") is None or not _succeeds("apt-get", "update", timeout_s=APT_TIMEOUT_S):
        return False
    install = ("apt-get", "install", "-y", "--no-install-recommends")
    return any(
        _succeeds(*install, package, timeout_s=APT_TIMEOUT_S) for package in ("chromium-headless-shell", "chromium")
    )


def _install_playwright() -> bool:
    return _succeeds(sys.executable, "-m", "playwright", "install", "chromium", timeout_s=PLAYWRIGHT_TIMEOUT_S)


def install() -> str:
    """Finds the browser, or fetches it.

    Returns:
        The path of its program.

    Raises:
        ChromiumMissing: there is none, and neither way of fetching one works.
    """
    path = _search(os.environ)
    if path is None:
        print("fetching Chromium for the browser tests", flush=True)
        for fetch in (_install_package, _install_playwright):
            if fetch() and (path := _search(os.environ)) is not None:
                break
        else:
            raise ChromiumMissing(MISSING)
    return path


def main(argv: list[str]) -> int:
    """Prints where the browser is (fetching it with --install), or one sentence saying what to install.

    Returns:
        0 either way: the other tests run without a browser.
    """
    try:
        print(install() if "--install" in argv else find())
    except ChromiumMissing as missing:
        print(missing, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
