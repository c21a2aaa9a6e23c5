"""What a screen reader is given of a chart, asked of Chromium's own accessibility tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests import chromium
from tests.analysis.charts.conftest import Published


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["svg", "text.svg", "narrow.svg", "report.svg"])
def test_a_chart_in_a_page_is_one_image_with_its_name_and_description(
    kind: str, everything: Mapping[tuple[str, str], Published], tmp_path: Path
):
    published = list(everything.values())
    svgs = [chart.path(kind).read_text(encoding="utf-8") for chart in published]
    body = "\n".join(svg[svg.index("<svg") :] for svg in svgs)
    page = tmp_path / "page.html"
    page.write_text(f"<!doctype html><html lang=fi><meta charset=utf-8><title>t</title>{body}", encoding="utf-8")

    nodes = [node for node in _accessibility_tree(page) if not node["ignored"]]

    told = [(_value(node, "role"), _value(node, "name"), _value(node, "description")) for node in nodes]
    images = [(name, description) for role, name, description in told if role in ("image", "img", "graphics-document")]
    assert images == [(chart.picture.title, chart.picture.alt) for chart in published]
    # Nothing else: no loose figures, no label of an axis read on its own.
    assert {role for role, _, _ in told} <= {"RootWebArea", "image", "img", "graphics-document", "generic", "none"}


@pytest.mark.browser
def test_the_snippet_shows_the_narrow_twin_on_a_small_screen_and_is_named_by_its_alternative_text(
    everything: Mapping[tuple[str, str], Published], tmp_path: Path
):
    published = everything["OM_FIG01", "fi"]
    for extension in ("png", "narrow.png"):
        (tmp_path / f"OM_FIG01.{extension}").write_bytes(published.path(extension).read_bytes())
    page = tmp_path / "page.html"
    html = published.path("html").read_text(encoding="utf-8")
    page.write_text(f"<!doctype html><html lang=fi><meta charset=utf-8><title>t</title>{html}", encoding="utf-8")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=["--no-sandbox"])
        try:
            for width, shown, across in ((1000, "OM_FIG01.png", 720), (390, "OM_FIG01.narrow.png", 374)):
                tab = browser.new_page(viewport={"width": width, "height": 900})
                tab.goto(page.as_uri())
                picture = tab.get_by_role("img", name=published.picture.alt)
                assert picture.evaluate("image => image.currentSrc").endswith(f"/{shown}")
                assert picture.bounding_box()["width"] == across
        finally:
            browser.close()


def _accessibility_tree(page: Path) -> list[dict[str, Any]]:
    path = chromium.find()
    assert path, chromium.CURE
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            tab = browser.new_page()
            tab.goto(page.as_uri())
            session = tab.context.new_cdp_session(tab)
            return session.send("Accessibility.getFullAXTree")["nodes"]
        finally:
            browser.close()


def _value(node: dict[str, Any], key: str) -> str:
    return node.get(key, {}).get("value", "")
