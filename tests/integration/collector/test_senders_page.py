"""docs/senders.md is true: its command works as it stands."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import bare_collector, wait_for_runs

PAGE = Path(__file__).parents[3] / "docs" / "senders.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_line_makes_a_run(tmp_path: Path) -> None:
    """The page's curl command, pasted into a shell, is accepted and stored as one run."""
    [command] = re.findall(r"^curl .*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    with bare_collector(tmp_path) as receiver:
        pasted = command.replace("http://127.0.0.1:4318", receiver.url)
        done = subprocess.run(["sh", "-c", pasted], capture_output=True, text=True, timeout=30, check=True)
        assert '"accepted":1' in done.stdout.replace(" ", "")
        wait_for_runs(receiver.url, 1)
