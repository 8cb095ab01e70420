"""The Streamlit script: page frame first, then the page the URL names."""

from pathlib import Path

import streamlit as st

from loopwatch_dashboards import navigation

# An icon of our own: Streamlit fetches the Material ones of a tab from a font server.
st.set_page_config(
    page_title="Loopwatch",
    page_icon=str(Path(__file__).with_name("icon.svg")),
    layout="wide",
    initial_sidebar_state=200,
)
st.navigation(list(navigation.pages().values()), position="hidden").run()
