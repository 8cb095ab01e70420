"""The page of the API's routes."""

import re

from loopwatch_collector.reference import reference_page
from tests.integration.collector.application import application


def test_every_route_is_on_the_page_and_nothing_is_fetched() -> None:
    """All that OpenAPI lists can be read on one page without a script, an image or a style from anywhere."""
    document = application().openapi()
    page = reference_page(document)
    assert [path for path in document["paths"] if f"<code>{path}</code>" not in page] == []
    assert re.findall(r"<script|<link|<img|src=|url\(|@import|https?://", page) == []


def test_what_a_document_says_is_text() -> None:
    """Names and sentences are escaped: they cannot become markup."""
    route = {"summary": "<b>x", "description": "a & b", "responses": {"200": {"description": "</table>"}}}
    page = reference_page({"info": {"title": "<i>"}, "paths": {"/{<id>}": {"get": route}}})
    assert "&lt;b&gt;x" in page
    assert "a &amp; b" in page
    assert "<i>" not in page
    assert page.count("</table>") == 1
