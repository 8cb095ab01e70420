"""One module per page; each offers the function that Streamlit runs."""

from loopwatch_dashboards.pages.cost import cost
from loopwatch_dashboards.pages.escalations import escalations
from loopwatch_dashboards.pages.iterations import iterations
from loopwatch_dashboards.pages.overview import overview
from loopwatch_dashboards.pages.run import run
from loopwatch_dashboards.pages.runs import runs
from loopwatch_dashboards.pages.tools import tools

__all__ = ["cost", "escalations", "iterations", "overview", "run", "runs", "tools"]
