"""What the incident resolver says to the model and how it reads the answer."""

import pytest

from loopwatch_reference.incident_resolver import RELEASES, Resolution, read_resolution, system_prompt
from loopwatch_reference.messages_api.conversation import Conversation
from loopwatch_reference.messages_api.evidence import weigh
from loopwatch_reference.production.topology import SERVICES
from loopwatch_reference.tools import TOOL_DEFINITIONS


@pytest.mark.parametrize(
    ("answer", "resolution"),
    [
        (
            "Done.\nROOT CAUSE: orders-db: out of connections\nCONFIDENCE: 0.9\nTICKET: INC-7\nMore words.",
            Resolution(True, "orders-db: out of connections", 0.9, "INC-7"),
        ),
        ("NO ROOT CAUSE\nCONFIDENCE: 0.2\nREASON: nothing seen", Resolution(False, "nothing seen", 0.2)),
        ("ROOT CAUSE: orders-db\nCONFIDENCE: high", Resolution(False, "orders-db", 0.0)),
        ("ROOT CAUSE: x\nCONFIDENCE: 7\nTICKET: INC-1", Resolution(True, "x", 1.0, "INC-1")),
        ("I do not know.", Resolution(False, "the answer has no cause", 0.0)),
    ],
)
def test_the_last_answer_is_read(answer, resolution):
    """Both forms are read; a cause without a ticket, or no form at all, is not resolved."""
    assert read_resolution(answer) == resolution


@pytest.mark.parametrize("version", sorted(RELEASES))
def test_the_prompt_tells_the_whole_service_map(version):
    """A model that reads the prompt knows every service and whom it calls."""
    conversation = Conversation("m", system_prompt(RELEASES[version]), "web-frontend", (), ())
    evidence = weigh(conversation)
    assert evidence is not None
    assert evidence.calls == {service.name: service.depends_on for service in SERVICES.values()}


def test_the_newer_release_begins_with_deployments():
    """What sets release 13 apart from 12 is in its prompt."""
    assert "deployments first" in system_prompt(RELEASES["13"])
    assert "deployments first" not in system_prompt(RELEASES["12"])


def test_the_tools_are_the_four_of_the_incident_resolver():
    """The model is offered the four tools by the names their functions have."""
    assert [tool["name"] for tool in TOOL_DEFINITIONS] == [
        "search_logs",
        "get_metrics",
        "list_recent_deployments",
        "create_incident_ticket",
    ]
