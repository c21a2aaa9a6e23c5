"""A picture as SVG that a page can hold: named for screen readers, with ids and styles that stay its own.

As paths it looks the same everywhere; with real text it can be searched and is a tenth of the size. The latter
carries its font, or relies on the page around to have Inter.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure

from analysis.charts import _fonts

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_XML = "http://www.w3.org/XML/1998/namespace"
_FALLBACK = "Inter, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Telling:
    """What an SVG says of itself besides the drawing; *id* begins all its ids."""

    id: str
    language: str
    title: str
    description: str
    source: str
    warning: str


def paths(figure: Figure, telling: Telling) -> bytes:
    """Return the drawing with letters as outlines."""
    return _accessible(_saved(figure, telling, "path"), telling, embed=False)


def text(figure: Figure, telling: Telling, *, embed: bool) -> bytes:
    """Return the drawing with real text. *embed* puts the font into it; else the page must have Inter."""
    return _accessible(_saved(figure, telling, "none"), telling, embed=embed)


def _saved(figure: Figure, telling: Telling, fonttype: str) -> bytes:
    buffer = io.BytesIO()
    record = {
        "Title": telling.title,
        "Description": telling.description,
        "Source": telling.source,
        "Language": telling.language,
        "Keywords": [telling.warning] if telling.warning else [],
        "Creator": "Kysely",
        "Date": None,
    }
    with matplotlib.rc_context({"svg.fonttype": fonttype}):
        figure.savefig(buffer, format="svg", metadata=record)
    return buffer.getvalue()


def _accessible(svg: bytes, telling: Telling, *, embed: bool) -> bytes:
    """Give the drawing a role, a name and a description, and ids that stay unique when a page holds several.

    The drawing itself is hidden from screen readers: Chromium would read out every label on its own.
    Styles become attributes, so that a strict content security policy leaves the colours alone.
    """
    for prefix, uri in _namespaces(svg).items():
        ElementTree.register_namespace(prefix, uri)
    root = ElementTree.fromstring(svg)
    own = f"{telling.id}-"
    for element in root.iter():
        _scope(element, own)
        _as_attributes(element)
        if "font-family" in element.attrib:
            element.set("font-family", f"'{_fonts.EMBEDDED}', {_FALLBACK}" if embed else _FALLBACK)
    for title in root.findall(f"{{{_SVG}}}title"):
        root.remove(title)
    for defs in root.findall(f"{{{_SVG}}}defs"):
        for style in defs.findall(f"{{{_SVG}}}style"):
            defs.remove(style)
    for group in root.findall(f"{{{_SVG}}}g"):
        # What matplotlib's style sheet says of everything, without reaching into the page around.
        group.attrib.update({"stroke-linejoin": "round", "stroke-linecap": "butt", "aria-hidden": "true"})
    # The drawing counts in points, of which a pixel has 0.75 elsewhere and 0.72 here: one unit is one pixel.
    width, height = (float(part) / _fonts.POINTS for part in root.attrib["viewBox"].split()[2:])
    root.attrib.update(
        {
            "id": f"{own}root",
            "role": "img",
            "lang": telling.language,
            f"{{{_XML}}}lang": telling.language,
            "aria-labelledby": f"{own}title",
            "aria-describedby": f"{own}desc",
            "width": f"{width:.6g}",
            "height": f"{height:.6g}",
            "style": "max-width:100%;height:auto",
        }
    )
    for place, (name, words) in enumerate((("title", telling.title), ("desc", telling.description))):
        element = ElementTree.Element(f"{{{_SVG}}}{name}", {"id": f"{own}{name}"})
        element.text = words
        element.tail = "\n"
        root.insert(place, element)
    if embed:
        style = ElementTree.Element(f"{{{_SVG}}}style")
        style.text = _fonts.embedded(_weights(root))
        root.insert(2, style)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def _weights(root: ElementTree.Element) -> set[int]:
    return {int(element.get("font-weight", "400")) for element in root.iter(f"{{{_SVG}}}text")}


def _namespaces(svg: bytes) -> dict[str, str]:
    found = re.findall(rb'xmlns(?::(\w+))?="([^"]+)"', svg[:4096])
    return {prefix.decode(): uri.decode() for prefix, uri in found}


def _scope(element: ElementTree.Element, prefix: str) -> None:
    for name, value in element.attrib.items():
        if name == "id":
            element.set(name, prefix + value)
        elif name in ("href", f"{{{_XLINK}}}href") and value.startswith("#"):
            element.set(name, f"#{prefix}{value[1:]}")
        elif "url(#" in value:
            element.set(name, value.replace("url(#", f"url(#{prefix}"))


def _as_attributes(element: ElementTree.Element) -> None:
    declarations = element.attrib.pop("style", "")
    for declaration in filter(None, (part.strip() for part in declarations.split(";"))):
        name, value = declaration.split(":", 1)
        element.set(name.strip(), value.strip())
