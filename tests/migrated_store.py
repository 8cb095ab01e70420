"""An embedded store as this version's migrations leave it: made once a process, copied for each test that wants one.

Applying all migrations costs eight times what opening a store does, and most tests are about what comes after. The
migrations themselves are under test in store/test_schema.py and, from an empty directory, in e2e/test_first_run.py.
"""

import atexit
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def migrated_store(folder: Path) -> str:
    """Puts an empty store with all its tables at `folder`, which must not exist yet, and returns its address."""
    # the links in the engine's directory are relative and lead to its tables: followed, they would be copied twice
    shutil.copytree(_pattern().name, folder, symlinks=True)
    return f"chdb://{folder}"


@cache
def _pattern() -> "tempfile.TemporaryDirectory[str]":
    made = tempfile.TemporaryDirectory(prefix="loopwatch-migrated-")
    atexit.register(made.cleanup)
    # by a process of its own: this one may have a store open, and there is one engine a process
    subprocess.run([sys.executable, "-m", "tests.migrated_store", made.name], cwd=_ROOT, check=True)
    return made


def main(folder: str) -> None:
    """Makes the store that is copied."""
    from loopwatch_collector.store.store import Store  # those who copy need no engine

    Store.open(f"chdb://{folder}").close()


if __name__ == "__main__":
    main(sys.argv[1])
