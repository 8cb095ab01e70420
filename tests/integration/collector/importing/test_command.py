"""`loopwatch import` and `loopwatch simulate` as somebody meets them whose key, file or dates are wrong."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.processes import Running, collector, loopwatch, wait_for

SUPPORT = Path(__file__).parents[3] / "data" / "chat" / "support.json"
FIELDS = ["--id", "task_id", "--id", "trial", "--outcome", "reward"]


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with collector(
        tmp_path_factory.mktemp("import"), LOOPWATCH_KEYS="default:admin:the-key,default:ingest:agents"
    ) as it:
        yield it


def _command(receiver: Running, *words: str, key: str = "the-key") -> tuple[int, str, str]:
    done = loopwatch(*words, "--endpoint", receiver.url, env={"LOOPWATCH_API_KEY": key})
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "words",
    [["import", str(SUPPORT), *FIELDS, "--start", "2d"], ["simulate", "--runs", "1", "--days", "1", "--quiet"]],
    ids=["import", "simulate"],
)
@pytest.mark.parametrize("key", ["wrong", "agents"])
def test_wrong_key_is_one_sentence(receiver: Running, words: list[str], key: str) -> None:
    """A key the collector does not take is told in its own words, without protobuf or JSON, with what to set."""
    status, _, told = _command(receiver, *words, key=key)
    assert status == 1
    sentence = told.strip().splitlines()[-1]
    assert re.search(r"was answered 40[13]: [A-Za-z]", sentence)
    assert "set LOOPWATCH_API_KEY to a key with the role admin" in sentence
    assert sentence.isprintable()
    assert not re.search(r'[{}"\\]', sentence)


def test_days_that_retention_drops_are_told(receiver: Running) -> None:
    """An import of old days warns that they are dropped; one of recent days does not, and says how to see its runs."""
    status, _, told = _command(receiver, "import", str(SUPPORT), *FIELDS, "--start", "2020-01-31", "--agent", "old")
    assert (status, "is of 2020-01-31, and this collector keeps days from" in told) == (0, True)
    kept = datetime.now(UTC).date() - timedelta(days=89)
    assert f"from {kept} on" in told
    assert "LOOPWATCH_RETENTION_DAYS" in told

    status, said, told = _command(receiver, "import", str(SUPPORT), *FIELDS, "--start", "2d", "--agent", "new")
    assert (status, "keeps days" in told) == (0, False)
    line = re.search(r"loopwatch (runs list .*)", said)
    assert line
    words = [*shlex.split(line[1]), "--agent", "new", "--json"]
    wait_for(lambda: len(json.loads(_command(receiver, *words)[1])["runs"]) == 12, "its runs are listed")


@pytest.mark.parametrize("text", ["", "[]", "\n\n"])
def test_file_of_nothing_is_no_success(tmp_path: Path, receiver: Running, text: str) -> None:
    """An empty file is told, with status 1."""
    file = tmp_path / "empty.json"
    file.write_text(text)
    status, _, told = _command(receiver, "import", str(file), *FIELDS, "--start", "2d")
    assert (status, "holds no record" in told) == (1, True)


@pytest.mark.parametrize("spacing", ["-1", "nan", "x", "1e12"])
def test_runs_are_not_spaced_backwards(receiver: Running, spacing: str) -> None:
    """A spacing is a number of seconds from 0 on."""
    words = ["import", str(SUPPORT), *FIELDS, "--start", "2d", f"--spacing={spacing}"]
    status, _, told = _command(receiver, *words)
    assert (status, "is no number of seconds from 0 on" in told) == (2, True)
