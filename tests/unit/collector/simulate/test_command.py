import gzip
import json
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loopwatch_collector.simulate.command import main

SMALL = ["--runs", "20", "--days", "2", "--end", "2026-03-03", "--quiet"]


def _spans(body: bytes) -> int:
    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def test_bodies_and_truth_are_written(tmp_path: Path) -> None:
    """--out gets one file a request, to be sent as it is, and the truth about all of them."""
    assert main([*SMALL, "--out", str(tmp_path / "new"), "--spans-per-request", "100"]) == 0
    files = sorted((tmp_path / "new").glob("*.pb"))
    truth = json.loads((tmp_path / "new" / "truth.json").read_text())
    counts = [_spans(file.read_bytes()) for file in files]
    assert counts[:-1] == [100] * (len(files) - 1)
    assert sum(counts) == truth["totals"]["spans"]
    assert truth["settings"] == {
        "first_day": "2026-03-01",
        "days": 2,
        "runs": 20,
        "seed": 1,
        "has_content": False,
    }
    assert set(truth["by_day"]) <= {"2026-03-01", "2026-03-02"}


def test_bodies_can_be_compressed(tmp_path: Path) -> None:
    """With --gzip the same bodies are written as SDKs send them."""
    assert main([*SMALL, "--out", str(tmp_path / "plain")]) == 0
    assert main([*SMALL, "--out", str(tmp_path / "small"), "--gzip"]) == 0
    plain = [file.read_bytes() for file in sorted((tmp_path / "plain").glob("*.pb"))]
    assert [gzip.decompress(file.read_bytes()) for file in sorted((tmp_path / "small").glob("*.pb.gz"))] == plain


def test_the_truth_can_go_elsewhere(tmp_path: Path) -> None:
    """--truth names the file."""
    assert main([*SMALL, "--out", str(tmp_path), "--truth", str(tmp_path / "known.json"), "--incidents", "none"]) == 0
    assert json.loads((tmp_path / "known.json").read_text())["incidents"] == []


def test_no_collector_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """A collector that is not there ends the command with status 1 and says what to do."""
    assert main([*SMALL, "--endpoint", "http://127.0.0.1:9"]) == 1
    assert "no collector answers at http://127.0.0.1:9" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file where the folder should be is named."""
    (tmp_path / "taken").write_text("")
    assert main([*SMALL, "--out", str(tmp_path / "taken")]) == 1
    assert str(tmp_path / "taken") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--runs", "0"], "'0' is not a whole number above 0"),
        (["--end", "yesterday"], "'yesterday' is not a date; write it as 2026-01-31"),
        (["--incidents", "flood"], "there is no incident 'flood'; choose from tool_slow"),
        (["--runs", "1", "--spans", "1"], "not allowed with argument"),
    ],
)
def test_wrong_options_are_named(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An option that cannot be honoured ends the command with status 2 and says what would do."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
