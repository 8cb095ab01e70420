"""The `loopwatch` command itself: its version, and what it says of a word it does not know."""

from importlib.metadata import version

import pytest

from loopwatch.cli import COMMANDS, main


def test_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    """`loopwatch --version` says what is installed, with status 0."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"loopwatch {version('loopwatch')}\n"


def test_misspelt_command_is_asked_about(capsys: pytest.CaptureFixture[str]) -> None:
    """A command that does not exist is answered with the one that was meant."""
    assert main(["serv"]) == 2
    assert "there is no command 'serv'; did you mean 'serve'?" in capsys.readouterr().err


def test_extra_of_each_command_is_true() -> None:
    """A command of the SDK needs no extra, and one of another part names its own."""
    extras = {name: command.extra for name, command in COMMANDS.items() if command.target.startswith("loopwatch.")}
    assert extras == {"exec": ""}
    assert all(command.extra for name, command in COMMANDS.items() if name not in extras)
