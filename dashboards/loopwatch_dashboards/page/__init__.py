"""One module per page; each offers the function that Streamlit runs.

The folder is not called `pages`: beside the script, Streamlit would list its files as pages of their own.
"""

from loopwatch_dashboards.page.alerts import alerts
from loopwatch_dashboards.page.compare import compare
from loopwatch_dashboards.page.conversations import conversations
from loopwatch_dashboards.page.cost import cost
from loopwatch_dashboards.page.escalations import escalations
from loopwatch_dashboards.page.iterations import iterations
from loopwatch_dashboards.page.overview import overview
from loopwatch_dashboards.page.quality import quality
from loopwatch_dashboards.page.rules import rules
from loopwatch_dashboards.page.run import run
from loopwatch_dashboards.page.runs import runs
from loopwatch_dashboards.page.system import system
from loopwatch_dashboards.page.tools import tools

__all__ = [
    "alerts",
    "compare",
    "conversations",
    "cost",
    "escalations",
    "iterations",
    "overview",
    "quality",
    "rules",
    "run",
    "runs",
    "system",
    "tools",
]
