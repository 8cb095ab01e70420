"""Answers as files."""

from collections.abc import Callable

import streamlit as st

from loopwatch_dashboards.context import Context


def buttons(context: Context, query: str) -> None:
    """Buttons that fetch a query's whole answer as a file, when they are pressed and not before."""
    for file_format, mime in (("csv", "text/csv"), ("parquet", "application/vnd.apache.parquet")):
        st.download_button(
            file_format.upper() if file_format == "csv" else "Parquet",
            data=_later(context, query, file_format),
            file_name=f"{query}.{file_format}",
            mime=mime,
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            key=f"download-{query}-{file_format}",
        )


def _later(context: Context, query: str, file_format: str) -> Callable[[], bytes]:
    where = context.view.where or None
    return lambda: context.collector.download(query, context.window, context.view.filters, file_format, q=where)
