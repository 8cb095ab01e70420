"""What the doctor finds in settings and files."""

import re
import sqlite3
from pathlib import Path

import pytest

from loopwatch_collector.doctor import examine
from loopwatch_collector.finding import Finding
from loopwatch_collector.spelling import KNOWN, unknown_variables

ROOT = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:9"


def _problems(environment: dict[str, str], folder: Path) -> list[Finding]:
    """What is wrong, but that no collector runs."""
    found = examine({"LOOPWATCH_DATA_DIR": str(folder / "data"), **environment}, NOBODY)
    return [one for one in found if one.status == "problem" and one.subject != "collector"]


def test_every_variable_that_is_read_is_known() -> None:
    """A variable that any part of the project reads is not called misspelt."""
    files = [*ROOT.glob("sdk/**/*.py"), *ROOT.glob("dashboards/**/*.py"), *ROOT.glob("reference_agent/**/*.py"),
             *ROOT.glob("tests/**/*.py"), ROOT / "compose.yaml", ROOT / "Makefile"]  # fmt: skip
    own = Path(__file__).name
    texts = [
        file.read_text(encoding="utf-8")
        for file in files
        if file.name not in {own, "test_settings.py", "test_server.py"}
    ]
    read = {name for text in texts for name in re.findall(r"\bLOOPWATCH_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?!_)", text)}
    assert "LOOPWATCH_SPOOL_DIR" in read
    assert sorted(read - KNOWN) == []


def test_misspelt_variables_are_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    """A name near a known one is a problem and says which; one like none is a note; no value is repeated."""
    environment = {"LOOPWATCH_KEY": "a:admin:secret", "LOOPWATCH_DATA_DIRR": "/x", "LOOPWATCH_OF_MINE_ALONE": "x"}
    assert [str(one) for one in unknown_variables(environment)] == [
        "nothing reads LOOPWATCH_DATA_DIRR; did you mean LOOPWATCH_DATA_DIR?",
        "nothing reads LOOPWATCH_KEY; did you mean LOOPWATCH_KEYS?",
        "nothing reads LOOPWATCH_OF_MINE_ALONE",
    ]
    problems = _problems(environment, tmp_path)
    assert [one.text.split(";")[0] for one in problems] == [
        "nothing reads LOOPWATCH_DATA_DIRR",
        "nothing reads LOOPWATCH_KEY",
    ]
    assert "secret" not in repr(problems)


def test_a_settings_fault_does_not_hide_the_others(tmp_path: Path) -> None:
    """After a setting that is wrong the files are looked at all the same."""
    (tmp_path / "data").write_text("a file")
    problems = _problems({"LOOPWATCH_PORT": "none", "LOOPWATCH_DSN": "foo://u:secret@x"}, tmp_path)
    texts = " | ".join(one.text for one in problems)
    assert "LOOPWATCH_PORT: 'none'" in texts
    assert "LOOPWATCH_DSN: 'foo' is no kind of store" in texts
    assert "is a file, not a directory" in texts
    assert "secret" not in texts


@pytest.mark.parametrize(
    ("variable", "text", "said"),
    [
        ("LOOPWATCH_PRICES", "[[price]]\nmodel = 3\n", "the price file"),
        ("LOOPWATCH_PRICES", None, "cannot be read"),
        ("LOOPWATCH_RULES", "[[rule]]\nname = \"x\"\nquery = \"no_such\"\n", "a rule needs"),
        ("LOOPWATCH_RULES", "[[rule", "line"),
        ("LOOPWATCH_RULES", None, "cannot be read"),
    ],
)  # fmt: skip
def test_broken_files_are_found(tmp_path: Path, variable: str, text: str | None, said: str) -> None:
    """Prices and rules that cannot be read or understood are problems with the file's name."""
    file = tmp_path / "own.toml"
    if text is not None:
        file.write_text(text)
    problems = _problems({variable: str(file)}, tmp_path)
    assert problems
    assert all(str(file) in one.text for one in problems)
    assert said in problems[0].text


def test_a_damaged_journal_is_found_and_left_as_it_is(tmp_path: Path) -> None:
    """A whole journal is ok; one whose pages rotted is a problem, and neither is changed by looking."""
    (tmp_path / "data").mkdir()
    journal = tmp_path / "data" / "journal.sqlite"
    with sqlite3.connect(journal) as connection:
        connection.execute("CREATE TABLE records (body BLOB)")
        connection.executemany("INSERT INTO records VALUES (?)", [(b"x" * 3000,)] * 50)
    connection.close()
    assert _problems({}, tmp_path) == []
    rotten = bytearray(journal.read_bytes())
    rotten[8192:16384] = b"\xff" * 8192
    journal.write_bytes(rotten)
    assert [one.subject for one in _problems({}, tmp_path)] == ["journal"]
    assert journal.read_bytes() == rotten
