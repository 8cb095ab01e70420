"""The API's reference as one page made from its OpenAPI document: no scripts, and nothing fetched from elsewhere."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

router: Final = APIRouter(include_in_schema=False)
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_STYLE: Final = """
:root { color-scheme: light dark }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
summary { cursor: pointer; padding: .3rem 0 }
code { font: 13px ui-monospace, monospace }
b { display: inline-block; min-width: 4.5rem; font: 600 13px ui-monospace, monospace }
section { padding: 0 0 .8rem 4.5rem }
td { padding: .1rem 1rem .1rem 0; vertical-align: top }
"""


@router.get("/docs", response_class=HTMLResponse)
async def page(request: Request) -> HTMLResponse:
    """The routes with their parameters and answers, for people; `/openapi.json` is for programs."""
    return HTMLResponse(
        reference_page(request.app.openapi()),
        headers={"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


def reference_page(document: Mapping[str, Any]) -> str:
    """Writes the page.

    Args:
        document: the OpenAPI document.

    Returns:
        HTML that needs nothing else.
    """
    title = escape(document["info"]["title"])
    routes = "\n".join(_routes(document["paths"]))
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{_STYLE}</style>
<h1>{title}</h1>
<p>Every route takes a key as <code>Authorization: Bearer KEY</code> where keys are set.
The same for programs: <a href="openapi.json">openapi.json</a>.</p>
{routes}
</html>
"""


def _routes(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    tag = ""
    routes = [(path, method, paths[path][method]) for path in paths for method in _METHODS if method in paths[path]]
    for path, method, route in sorted(routes, key=lambda found: (_tag(found[2]), found[0], _METHODS.index(found[1]))):
        if _tag(route) != tag:
            tag = _tag(route)
            yield f"<h2>{escape(tag)}</h2>"
        yield _route(path, method, route)


def _tag(route: Mapping[str, Any]) -> str:
    return str(next(iter(route.get("tags", [])), "other"))


def _route(path: str, method: str, route: Mapping[str, Any]) -> str:
    takes = [
        _row(one["name"], f"{one['in']}{', required' if one.get('required') else ''}", one.get("description", ""))
        for one in route.get("parameters", [])
    ]
    takes += [_row("body", media_type, "") for media_type in route.get("requestBody", {}).get("content", {})]
    answers = [_row(status, "", answer["description"]) for status, answer in route.get("responses", {}).items()]
    summary = f"<b>{method.upper()}</b><code>{escape(path)}</code> {escape(route.get('summary', ''))}"
    return f"""<details><summary>{summary}</summary>
<section><p>{escape(route.get("description", ""))}</p>
{_table("Takes", takes)}{_table("Answers", answers)}</section></details>"""


def _table(heading: str, rows: list[str]) -> str:
    return f"<h4>{heading}</h4><table>{''.join(rows)}</table>" if rows else ""


def _row(name: str, kind: str, description: str) -> str:
    return f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td><td>{escape(description)}</td></tr>"
