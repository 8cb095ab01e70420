"""One virtual environment per library, outside the repository, made once and used again."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path


def cache_folder() -> Path:
    """Where the environments live: LOOPWATCH_COMPAT_CACHE, else the user's cache."""
    chosen = os.environ.get("LOOPWATCH_COMPAT_CACHE")
    return (
        Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "loopwatch-compat"
    )


def _is_there(stamp: Path, wanted: str) -> bool:
    """Whether a folder was made with just these requirements."""
    return stamp.exists() and stamp.read_text() == wanted


def python_with(name: str, requirements: Sequence[str], *, upgrade: bool) -> Path:
    """Makes an environment that has the requirements.

    Args:
        name: its folder.
        requirements: what pip is asked for.
        upgrade: ask for the newest versions though the environment exists.

    Returns:
        Its Python.

    Raises:
        subprocess.CalledProcessError: pip failed; its output holds the reason.
    """
    folder = cache_folder() / name
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    wanted = "\n".join(requirements)
    if _is_there(stamp, wanted) and not upgrade:
        return python
    if not python.exists():
        venv.create(folder, with_pip=True)
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", *requirements],
        check=True,
        capture_output=True,
        text=True,
    )
    stamp.write_text(wanted)
    return python


def node_modules_with(name: str, requirements: Sequence[str], *, upgrade: bool) -> Path:
    """Makes a folder whose node_modules has the requirements.

    Args:
        name: the folder.
        requirements: what npm is asked for.
        upgrade: ask for the newest versions though the folder exists.

    Returns:
        The folder.

    Raises:
        subprocess.CalledProcessError: npm failed; its output holds the reason.
    """
    folder = cache_folder() / name
    stamp = folder / "requirements.txt"
    wanted = "\n".join(requirements)
    if _is_there(stamp, wanted) and not upgrade:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--silent", *requirements],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    stamp.write_text(wanted)
    return folder


def node_versions(folder: Path) -> dict[str, str]:
    """The packages of a folder's node_modules, by name."""
    manifests = [*folder.glob("node_modules/*/package.json"), *folder.glob("node_modules/@*/*/package.json")]
    packages = [json.loads(manifest.read_text()) for manifest in manifests]
    return {package["name"]: package["version"] for package in packages if "version" in package}


def versions(python: Path) -> dict[str, str]:
    """The packages of an environment, by name."""
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {package["name"].lower(): package["version"] for package in json.loads(listed.stdout)}


def neutral_environment(**variables: str) -> dict[str, str]:
    """The variables a workload sees: none of the caller's but what a process needs to run."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent", **variables}


if sys.platform == "win32":  # pragma: no cover
    raise SystemExit("the compatibility runs need a POSIX system")
