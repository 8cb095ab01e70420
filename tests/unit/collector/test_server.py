"""What `loopwatch serve` looks at before it starts."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.server import serve
from loopwatch_collector.settings import Settings


def test_it_does_not_start_on_a_store_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's disk is looked at as well as the journal's: tables made on a full one could not be read again."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=0 if Path(path).name == "elsewhere" else 2**40)
    )
    with pytest.raises(CannotStart, match=r"elsewhere.*LOOPWATCH_DSN"):
        serve(Settings(tmp_path / "data", f"chdb://{tmp_path}/elsewhere/store"))
