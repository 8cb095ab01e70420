"""What `loopwatch serve` looks at before it starts."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.server import main, serve
from loopwatch_collector.settings import Key, Settings


def test_it_does_not_start_on_a_store_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store's disk is looked at as well as the journal's: tables made on a full one could not be read again."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: SimpleNamespace(free=0 if Path(path).name == "elsewhere" else 2**40)
    )
    with pytest.raises(CannotStart, match=r"elsewhere.*LOOPWATCH_DSN"):
        serve(Settings(tmp_path / "data", f"chdb://{tmp_path}/elsewhere/store"))


def test_misspelt_variables_are_told_at_the_start_and_an_unknown_store_ends_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A variable that nothing reads is a warning with the one that was meant; an unknown store is one sentence."""
    monkeypatch.setenv("LOOPWATCH_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("LOOPWATCH_RETENTION_DAY", "7")
    monkeypatch.setenv("LOOPWATCH_DSN", "foo://user:secret@host/db")
    assert main(["--port", "0"]) == 1
    assert "nothing reads LOOPWATCH_RETENTION_DAY; did you mean LOOPWATCH_RETENTION_DAYS?" in caplog.text
    said = capsys.readouterr().err
    assert "loopwatch serve: LOOPWATCH_DSN: 'foo' is no kind of store" in said
    assert "secret" not in said + caplog.text


@pytest.mark.parametrize("option", ["--port", "--grpc-port"])
@pytest.mark.parametrize("port", ["70000", "-1", "http"])
def test_port_beyond_all_ports_is_one_sentence(capsys: pytest.CaptureFixture[str], option: str, port: str) -> None:
    """A number that is no port is refused as an argument, with what is one."""
    with pytest.raises(SystemExit) as ended:
        main([f"{option}={port}"])
    assert ended.value.code == 2
    assert f"'{port}' is not a port between 0 and 65535" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.7"])
def test_host_that_is_not_ours_is_not_called_a_port_in_use(tmp_path: Path, host: str) -> None:
    """A host without an address, or of another machine, is told as that."""
    settings = Settings(tmp_path, f"chdb://{tmp_path}/store", host=host, port=0, keys=(Key("p", "admin", "k"),))
    with pytest.raises(CannotStart, match=r"--host or LOOPWATCH_HOST"):
        serve(settings)
