"""The pytest fixture `loopwatch_recorder`: each test's runs, recorded in memory."""

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from loopwatch.testing import Recorder


@pytest.fixture
def loopwatch_recorder() -> "Generator[Recorder]":
    """Records what the test's agents do; nothing leaves the process."""
    from loopwatch.testing import record  # here, so that a test session without agents does not import the SDK

    with record() as recorder:
        yield recorder
