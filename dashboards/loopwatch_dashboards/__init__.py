"""The dashboards: Streamlit pages over the collector's API."""
