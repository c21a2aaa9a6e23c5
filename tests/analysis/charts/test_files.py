"""A chart's files open in the programs that others use, and are the same bytes every time."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from analysis import charts, wording
from analysis.charts import _files
from analysis.charts._files import Picture
from analysis.charts._look import LOOKS
from analysis.charts._snippet import snippet
from analysis.estimates import Estimates
from analysis.plan import CellSpec, ChartSpec, HeadlineClaim
from kysely.errors import AuthorError
from tests.analysis.charts import _estimates as study
from tests.analysis.charts.conftest import Published
from tests.programs import run

SVG = "{http://www.w3.org/2000/svg}"
SVGS = ("svg", "text.svg", "narrow.svg", "report.svg")


def drawn(estimates: Estimates, spec: ChartSpec, language: str) -> list[Picture]:
    return [charts.draw(estimates, spec, study.codebook(), language, look) for look in LOOKS]


def test_a_second_run_writes_the_same_bytes(published: Published, tmp_path: Path):
    estimates = study.estimates(study.distribution() + study.central())
    spec = study.specs()[published.picture.id]
    _files.write(drawn(estimates, spec, published.picture.language), tmp_path)

    for extension in charts.FILES:
        again = (tmp_path / f"{spec.id}.{extension}").read_bytes()
        assert again == published.path(extension).read_bytes(), extension


def test_all_charts_are_written_by_language_and_each_is_told_once_it_is_there(tmp_path: Path):
    estimates = study.estimates(study.distribution() + study.central())
    specs = [study.specs()[id] for id in ("OM_FIG01", "OM_FIG02")]

    done = charts.write_all(estimates, specs, study.codebook(), tmp_path, languages=("sv",))

    for told, id in zip(done, ("OM_FIG01", "OM_FIG02"), strict=True):
        assert told == tmp_path / "sv" / f"{id}.json"
        assert told.is_file()
    names = {f"{id}.{extension}" for id in ("OM_FIG01", "OM_FIG02") for extension in charts.FILES}
    assert {path.name for path in (tmp_path / "sv").iterdir()} == names


def test_a_file_that_can_not_be_written_leaves_the_old_one_whole(tmp_path: Path, everything, monkeypatch):
    pictures = drawn(study.estimates(study.distribution()), study.specs()["OM_FIG01"], "fi")
    _files.write(pictures, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(source: object, target: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        other = "Another text that would have been written into every file of it."
        _files.write([replace(picture, alt=other) for picture in pictures], tmp_path)

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_manifest_tells_words_numbers_and_origin(published: Published):
    manifest = published.manifest

    assert manifest["format"] == "kysely-chart/1"
    assert (manifest["id"], manifest["language"]) == (published.picture.id, published.picture.language)
    for key in ("title", "subtitle", "alt", "base", "note", "source", "kicker"):
        assert manifest[key].strip() and "\u00ad" not in manifest[key]
    assert manifest["provenance"]["extract_sha256"] == study.PROVENANCE.extract_sha256
    assert len(manifest["estimates_sha256"]) == 64
    assert len(manifest["table"]["rows"]) == len(published.picture.rows)
    assert all(len(row) == len(manifest["table"]["columns"]) for row in manifest["table"]["rows"])
    assert set(manifest["files"]) == set(charts.FILES) - {"json"}
    for extension, file in manifest["files"].items():
        content = published.path(extension).read_bytes()
        assert file == {
            "name": published.path(extension).name,
            "bytes": len(content),
            "sha256": sha256(content).hexdigest(),
        }
    assert {name: look["width"] for name, look in manifest["looks"].items()} == {
        "wide": 720,
        "narrow": 400,
        "report": 720,
    }


def test_the_manifest_s_table_is_written_as_the_language_does(everything):
    rows = {language: everything["OM_FIG01", language].manifest["table"]["rows"] for language in ("fi", "en")}

    assert rows["fi"][0][:2] == ["Asiakaspalvelulähtöinen", "3,5"]
    assert rows["en"][0][:2] == ["Customer-service-oriented", "3.5"]


def test_the_png_is_twice_the_size_and_carries_resolution_and_description(published: Published):
    with Image.open(published.path("png")) as png:
        assert png.size == (2 * published.manifest["width"], 2 * published.manifest["height"])
        assert png.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert png.info["Description"] == published.picture.alt
        assert png.info["Title"] == published.picture.title
        assert png.info["Source"].endswith(published.picture.words.source)


def test_the_pdf_has_the_words_as_text_in_embedded_fonts(published: Published):
    text = run("pdftotext", "-layout", "-enc", "UTF-8", published.path("pdf"), "-", silent=True)
    fonts = run("pdffonts", published.path("pdf"), silent=True).splitlines()[2:]

    seen = _letters(text)
    words = published.picture.words
    for wanted in (words.kicker, words.headline, words.base, words.source):
        assert _letters(wanted) in seen
    assert fonts and all("Inter" in font and "TrueType" in font for font in fonts)
    assert all(font.split()[-5:-2] == ["yes", "yes", "yes"] for font in fonts)  # embedded, subset, maps to Unicode


def test_the_svg_is_drawn_by_librsvg_as_by_us(published: Published, tmp_path: Path):
    run("rsvg-convert", published.path("svg"), "-z", "2", "-o", tmp_path / "svg.png", silent=True)

    with Image.open(tmp_path / "svg.png") as drawn, Image.open(published.path("png")) as ours:
        assert drawn.size == ours.size
        small = (ours.width // 16, ours.height // 16)
        theirs, mine = (
            list(picture.convert("RGBA").resize(small, Image.Resampling.BOX).convert("L").get_flattened_data())
            for picture in (drawn, ours)
        )
    assert max(abs(a - b) for a, b in zip(theirs, mine, strict=True)) < 24


@pytest.mark.parametrize("kind", SVGS)
def test_an_svg_has_a_role_a_name_a_description_and_its_language(kind: str, published: Published):
    root = ElementTree.parse(published.path(kind)).getroot()
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")

    assert title is not None and description is not None
    assert root.get("role") == "img" and root.get("lang") == published.picture.language
    assert (title.text, description.text) == (published.picture.title, published.picture.alt)
    assert root.get("aria-labelledby") == title.get("id") and root.get("aria-describedby") == description.get("id")
    assert [group.get("aria-hidden") for group in root.findall(f"{SVG}g")] == ["true"]


def test_the_svg_with_real_text_can_be_searched_and_brings_its_font_under_its_own_name(published: Published):
    root = ElementTree.parse(published.path("text.svg")).getroot()
    words = " ".join(element.text or "" for element in root.iter(f"{SVG}text"))
    style = root.find(f"{SVG}style")

    assert _letters(published.picture.words.headline) in _letters(words)
    assert style is not None and style.text and "url(data:font/woff2;base64," in style.text
    declared = set(re.findall(r"font-family:'([^']+)'", style.text))
    assert declared == {"Kysely Inter"}  # never Inter: the page's own would be replaced by this one
    families = {element.get("font-family", "") for element in root.iter(f"{SVG}text")}
    assert all(family.startswith("'Kysely Inter', Inter") for family in families)
    used = {element.get("font-weight", "400") for element in root.iter(f"{SVG}text")}
    assert used == set(re.findall(r"font-weight:(\d+)", style.text))


def test_the_svg_for_reports_is_the_body_alone_in_the_font_of_the_page(published: Published):
    root = ElementTree.parse(published.path("report.svg")).getroot()
    texts = [element.text or "" for element in root.iter(f"{SVG}text")]

    assert published.picture.words.kicker not in texts
    assert not any("Inter" not in element.get("font-family", "") for element in root.iter(f"{SVG}text"))
    assert _letters(published.picture.words.source) not in _letters(" ".join(texts))
    assert _letters(str(published.picture.rows[0][0])) in _letters(" ".join(texts))


def test_the_narrow_twin_is_400_pixels_wide(published: Published):
    with Image.open(published.path("narrow.png")) as png:
        assert png.width == 800
        assert png.info["Description"] == published.picture.alt
    assert ElementTree.parse(published.path("narrow.svg")).getroot().get("width") == "400"


def test_every_file_says_that_answers_were_simulated_and_where_they_are_from(published: Published):
    about = ("operating_mode", "2026.1", "2015", "360", "269")
    for extension in ("svg", "text.svg", "narrow.svg", "report.svg", "csv", "html", "json"):
        content = published.path(extension).read_text(encoding="utf-8-sig").replace("\u00a0", " ")
        assert published.picture.words.kicker.split(" –")[0].lower() in content.lower(), extension
        assert all(word in content for word in about), extension
    for extension in ("png", "narrow.png"):
        with Image.open(published.path(extension)) as png:
            assert png.info["Disclaimer"] == published.picture.words.kicker
            assert all(word in png.info["Source"] for word in about)
    told = run("pdfinfo", published.path("pdf"), silent=True)
    assert published.picture.words.kicker in told and "operating_mode" in told


def test_the_snippet_is_a_figure_that_fetches_nothing_from_others_and_runs_nothing(published: Published):
    html = published.path("html").read_text(encoding="utf-8")

    assert "<script" not in html and "http" not in html and " on" not in re.sub(r'"[^"]*"|>[^<]*<', "", html)
    sizes = published.manifest["looks"]
    assert f'width="720" height="{sizes["wide"]["height"]}"' in html
    assert f'width="400" height="{sizes["narrow"]["height"]}"' in html
    assert html.count(escape(published.picture.alt)) == 1
    assert f'<a href="{published.picture.id}.csv">' in html
    assert escape(published.manifest["caption"]) in html
    assert published.manifest["caption"] != published.picture.alt


def test_a_snippet_can_name_where_its_files_lie(everything):
    html = snippet(everything["OM_FIG01", "sv"].manifest, "https://example.org/charts/v1/")

    assert 'src="https://example.org/charts/v1/OM_FIG01.png"' in html
    assert 'href="https://example.org/charts/v1/OM_FIG01.csv"' in html


def test_a_chart_that_would_come_out_the_same_is_not_drawn_again(tmp_path: Path):
    spec, codebook = study.specs()["OM_FIG01"], study.codebook()
    estimates = study.estimates(study.distribution())

    def written(**changed: Any) -> set[str]:
        before = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
        given = {"estimates": estimates, "spec": spec, "codebook": codebook, **changed}
        charts.write(given["estimates"], given["spec"], given["codebook"], "sv", tmp_path)
        return {path.name for path in tmp_path.iterdir() if before.get(path.name) != path.stat().st_ino}

    every = {f"OM_FIG01.{extension}" for extension in charts.FILES}
    assert written() == every
    assert written() == set()
    later = replace(estimates.provenance, made_at="2026-03-10T10:00:00+00:00")
    assert written(estimates=replace(estimates, provenance=later)) == set()

    other = {**study.TOTALS, "PUB": (0.55, 0.17, 0.125, 0.155)}
    assert written(estimates=study.estimates(study.distribution(other))) == every
    assert written() == every
    assert written(spec=replace(spec, headline=dict.fromkeys(study.LANGUAGES, "Another"))) == every
    assert written() == every
    renamed = study.codebook({**study.TYPES, "COMP": ("Yritys", "Företag", "Company")})
    assert written(codebook=renamed) == every
    assert written() == every
    (tmp_path / "OM_FIG01.narrow.svg").write_bytes(b"<svg/>")
    assert written() == every


def test_a_headline_that_its_figures_do_not_support_is_not_written(tmp_path: Path):
    cells = [CellSpec("OM_B02_PROD", "CENTRAL", "share"), CellSpec("OM_B02_DEV", "CENTRAL", "share")]
    spec = replace(study.specs()["OM_FIG01"], claim=HeadlineClaim(cells[0], (cells[1],)))

    with pytest.raises(AuthorError, match="OM_FIG01"):
        charts.write(study.estimates(study.distribution()), spec, study.codebook(), "en", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_two_charts_can_stand_in_one_page(everything):
    ids: list[str] = []
    for root in (ElementTree.parse(one.path(kind)).getroot() for one in everything.values() for kind in SVGS[1:]):
        own = [element.get("id", "") for element in root.iter() if element.get("id")]
        used = {
            value.split("#")[1].rstrip(")")
            for element in root.iter()
            for value in element.attrib.values()
            if value.startswith("#") and len(value) > 7 or "url(#" in value
        }
        assert used <= set(own)
        ids += own

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("kind", ["svg", "narrow.svg", "report.svg"])
def test_an_svg_needs_no_style_sheet_and_runs_nothing(kind: str, published: Published):
    root = ElementTree.parse(published.path(kind)).getroot()

    assert {element.tag.split("}")[1] for element in root.iter()} & {
        "style",
        "script",
        "foreignObject",
        "image",
    } == set()
    assert [element.tag for element in root.iter() if element.get("style")] == [f"{SVG}svg"]


@pytest.mark.parametrize("id", ["OM_FIG01", "OM_FIG02"])
def test_markup_in_a_label_stays_text(id: str, tmp_path: Path):
    evil = "<script>alert(1)</script> --><b onload='x'>&amp;"
    words = dict.fromkeys(study.LANGUAGES, evil)
    spec = replace(study.specs()[id], labels={"OM_B": {"CUST": words}, "BG10": {"COMP": words}})
    spec = replace(spec, headline=words)
    estimates = study.estimates(study.distribution() + study.central())

    _files.write(drawn(estimates, spec, "sv"), tmp_path)

    root = ElementTree.parse(tmp_path / f"{id}.svg").getroot()
    title = root.find(f"{SVG}title")
    assert title is not None and title.text == evil
    assert not [element for element in root.iter() if element.tag.endswith("}script")]
    assert "<script" not in (tmp_path / f"{id}.svg").read_text(encoding="utf-8")
    table = json.loads((tmp_path / f"{id}.json").read_text(encoding="utf-8"))["table"]["rows"]
    assert any(evil in row for row in table)


def _letters(text: str) -> str:
    return "".join(character for character in wording.plain(text) if character.isalnum())
