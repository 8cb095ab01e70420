"""What the environment says."""

from pathlib import Path

import pytest

from loopwatch_collector.errors import CannotStart
from loopwatch_collector.settings import VARIABLES, Key, Settings, table


def test_defaults_need_nothing() -> None:
    """An empty environment gives a collector on loopback without keys, its store under its data directory."""
    settings = Settings.from_environment({})
    assert (settings.host, settings.port, settings.keys, settings.is_loopback) == ("127.0.0.1", 4318, (), True)
    assert settings.dsn == f"chdb://{settings.data_dir}/store"


def test_all_faults_are_named_at_once() -> None:
    """Every wrong variable is reported in one error."""
    with pytest.raises(CannotStart) as fault:
        Settings.from_environment({"LOOPWATCH_PORT": "99999", "LOOPWATCH_RETENTION_DAYS": "soon"})
    assert "LOOPWATCH_PORT" in str(fault.value)
    assert "LOOPWATCH_RETENTION_DAYS" in str(fault.value)


def test_keys_are_read_and_never_shown() -> None:
    """Keys carry project and role; printing the settings does not print them."""
    settings = Settings.from_environment({"LOOPWATCH_KEYS": "shop:ingest:s3cret, shop:read:0ther"})
    assert settings.keys == (Key("shop", "ingest", "s3cret"), Key("shop", "read", "0ther"))
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    "text", ["shop:owner:s3cret", "shop:ingest:", ":ingest:s3cret", "s3cret", "a:read:s3cret,b:read:s3cret"]
)
def test_wrong_keys_are_refused_without_repeating_them(text: str) -> None:
    """A malformed or doubled key stops the start; the message does not hold it."""
    with pytest.raises(CannotStart) as fault:
        Settings.from_environment({"LOOPWATCH_KEYS": text})
    assert "s3cret" not in str(fault.value)


@pytest.mark.parametrize(
    ("host", "expected"), [("localhost", True), ("::1", True), ("0.0.0.0", False), ("example.org", False)]
)
def test_loopback_is_told_from_the_rest(host: str, expected: bool) -> None:
    """Only addresses of this machine count as loopback; a name that is not `localhost` does not."""
    assert Settings(Path("/tmp/x"), "chdb:///tmp/x", host=host).is_loopback is expected


def test_table_lists_every_variable() -> None:
    """The documentation's table has a row for each setting."""
    assert all(f"`{variable.name}`" in table() for variable in VARIABLES.values())


@pytest.mark.parametrize("url", ["dashboards:8501", "ftp://x", "http://"])
def test_address_of_the_pages_is_a_url(url: str) -> None:
    """Links in messages are made of it, so it is looked at when the collector starts."""
    with pytest.raises(CannotStart, match=r"LOOPWATCH_DASHBOARDS_URL.*is not an http"):
        Settings.from_environment({"LOOPWATCH_DASHBOARDS_URL": url})
