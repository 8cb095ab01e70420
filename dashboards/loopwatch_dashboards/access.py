"""What the key of the dashboards may do: no button is offered that the collector would refuse."""

from typing import Final

import streamlit as st

from loopwatch_dashboards import states
from loopwatch_dashboards.context import Context
from loopwatch_dashboards.errors import NotFound

READ_ONLY: Final = "Needs a key of the role admin; these dashboards have one of the role {role}."
_HOW: Final = (
    "**Read only:** {what} needs a key of the role admin, and these dashboards were started with one of the role "
    "{role}. Whoever runs them changes that with LOOPWATCH\\_API\\_KEY; everybody who can open them may then do it."
)


def refusal(context: Context) -> str:
    """Why nothing can be changed here, as the help of a button that is off; empty where the key may change things."""
    role = _role(context)
    return "" if role == "admin" else READ_ONLY.format(role=role)


def explain(context: Context, what: str) -> None:
    """Says once on a page why its buttons are off, and who can turn them on; nothing where they are not off.

    Args:
        context: of the page.
        what: what cannot be done here, such as "changing rules".
    """
    role = _role(context)
    if role != "admin":
        st.caption(f":material/lock: {_HOW.format(what=what, role=role)}")


def _role(context: Context) -> str:
    try:
        return str(states.awaited(context.collector.access(), hint="")["role"])
    except NotFound:  # an older collector does not say: it is tried, and refused there
        return "admin"
