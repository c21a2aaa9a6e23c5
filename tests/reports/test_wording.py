"""The reports say the same in every language, and say it with that language's own signs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from math import nan
from typing import Any

import pytest

from analysis import elsewhere
from analysis.charts._cells import Cell
from analysis.estimates import SUPPRESSED
from analysis.wording import HIDDEN_SIGN
from kysely.errors import AnalystError
from reports.parts.wording import FOLDER, Wording, languages


def sentences(language: str) -> dict[str, str]:
    return dict(_flat(tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))))


def _flat(node: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield from ((f"{prefix}{key}[{place}]", text) for place, text in enumerate(value))
        else:
            yield f"{prefix}{key}", value


def test_reports_are_worded_in_finnish_swedish_and_english():
    assert languages() == ("fi", "sv", "en")


@pytest.mark.parametrize("purpose", elsewhere.PURPOSES)
def test_whatever_an_engine_elsewhere_leaves_out_is_told(purpose):
    assert Wording("fi").has(f"methodology.elsewhere_{purpose}")


@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_sentence_exists_in_every_language_with_the_same_gaps(language):
    finnish, other = sentences("fi"), sentences(language)
    assert set(finnish) == set(other)
    for key, text in finnish.items():
        assert set(re.findall(r"{(\w+)}", text)) == set(re.findall(r"{(\w+)}", other[key])), key


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_no_sentence_is_blank_or_has_typewriter_signs(language):
    for key, text in sentences(language).items():
        assert text.strip() == text and text, key
        assert '"' not in text and " - " not in text and "..." not in text, key
        assert "  " not in text.replace(",   z_g", ""), key


@pytest.mark.parametrize(("language", "quote"), [("fi", "“"), ("sv", "“"), ("en", "”asetettu")])
def test_quotation_marks_are_those_of_the_language(language, quote):
    assert not any(quote in text for text in sentences(language).values())


def test_a_sentence_that_is_not_there_is_named():
    with pytest.raises(AnalystError, match="fi.toml has no sentence 'front.nothing'"):
        Wording("fi")("front.nothing")
    with pytest.raises(AnalystError, match="no report is worded in 'de'"):
        Wording("de")("front.title")


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_sign_of_a_hidden_figure_is_explained_as_it_is_written_and_a_chart_has_the_same(language):
    found = sentences(language)
    for note in ("signs.suppressed_note", "signs.complementary_note"):
        assert found[note].startswith(HIDDEN_SIGN)
    assert HIDDEN_SIGN in found["front.few"]
    assert Cell(nan, nan, nan, 3, 2, True, SUPPRESSED).sign == HIDDEN_SIGN
    assert Cell(nan, nan, nan, 0, 0, True, "").sign == "–"


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_a_verdict_has_a_word_that_says_nothing_else(language):
    found = sentences(language)
    verdicts = [text for key, text in found.items() if key.startswith("verdict.")]
    assert len(set(verdicts)) == len(verdicts) == 4
    column = found["reproduction.holds"]
    assert not any(stem(column) in verdict.casefold() for verdict in verdicts)


def stem(words: str) -> str:
    """Return the beginning that inflected and compound forms share: Samma riktning, Sama suunta, samansuuntainen."""
    return words.casefold()[:4]
