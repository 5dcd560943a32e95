"""The API's reference as one page, made from openapi.json: nothing comes from elsewhere, no script runs."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

__all__ = ["reference_page"]


def reference_page(openapi: Mapping[str, Any]) -> str:
    """HTML for a browser.

    Args:
        openapi: the document that FastAPI makes.
    """
    info = openapi["info"]
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(info['title'])}: reference</title>",
        "<link rel='stylesheet' href='/docs/reference.css'></head><body><main>",
        f"<h1>{escape(info['title'])} <small>{escape(info['version'])}</small></h1>",
        f"<p>{escape(info.get('description', ''))}</p>",
        "<p><a href='/openapi.json'>openapi.json</a> · <a href='/'>the page</a></p>",
    ]
    for path, methods in openapi["paths"].items():
        for method, route in methods.items():
            parts += _route(path, method, route)
    parts.append("</main></body></html>")
    return "\n".join(parts)


def _route(path: str, method: str, route: Mapping[str, Any]) -> list[str]:
    parts = [
        "<section>",
        f"<h2><b class='{escape(method)}'>{escape(method.upper())}</b> <code>{escape(path)}</code></h2>",
        f"<p>{escape(route.get('summary', ''))}</p>",
    ]
    if route.get("description"):
        parts.append(f"<p>{escape(route['description'])}</p>")
    given = [
        (
            each["name"],
            each["in"],
            each.get("schema", {}),
            each.get("required", False),
            each.get("description"),
        )
        for each in route.get("parameters", ())
    ]
    for content in route.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        given += [
            (name, "form", each, name in schema.get("required", ()), None)
            for name, each in schema.get("properties", {}).items()
        ]
    if given:
        parts.append("<table><thead><tr><th>name<th>in<th>type<th>default<th></tr></thead><tbody>")
        parts += [_row(*each) for each in given]
        parts.append("</tbody></table>")
    parts.append("<table><thead><tr><th>status<th></tr></thead><tbody>")
    for status, answer in route.get("responses", {}).items():
        parts.append(f"<tr><td>{escape(status)}<td>{escape(answer.get('description', ''))}</tr>")
    parts.append("</tbody></table></section>")
    return parts


def _row(name: str, place: str, schema: Mapping[str, Any], required: bool, text: str | None) -> str:
    kind = "file" if schema.get("format") == "binary" else str(schema.get("type", "string"))
    if "enum" in schema:
        kind = " ".join(schema["enum"])
    if "maximum" in schema:
        kind += f", {schema.get('minimum', 0):g} to {schema['maximum']:.16g}"
    default = "required" if required else schema.get("default", "")
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    cells = (f"<code>{escape(name)}</code>", place, escape(kind), escape(shown))
    about = escape(text or schema.get("description", ""))
    return "<tr><td>" + "<td>".join(cells) + f"<td>{about}</tr>"
