"""What respondents read: complete in three languages, and true."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import get_args, get_type_hints

import pytest
from jinja2 import Environment, meta
from ruamel.yaml import YAML

from kysely import plugins, web
from kysely.errors import InvalidAnswer
from kysely.loading._document import Privacy
from kysely.questions._base import ERROR_CODES
from kysely.web.wording import LANGUAGES, wordings

FOLDER = Path(web.__file__).parent
PRIVACY_MODES = get_args(get_type_hints(Privacy)["mode"])
TEXTS = {
    f"{file.stem}/{key}": text
    for file in sorted((FOLDER / "translations").glob("*.yaml"))
    for key, text in YAML(typ="safe", pure=True).load(file).items()
}
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
# A question type names the sentence of a button that it adds to the page.
QUESTIONS = FOLDER.parent / "questions"
SOURCE = "\n".join(
    file.read_text() for file in [*sorted(FOLDER.glob("*.py")), *sorted(QUESTIONS.glob("*.py")), *TEMPLATES]
)


@pytest.mark.parametrize("key", TEXTS)
def test_a_sentence_is_there_in_every_language_with_the_same_figures(key):
    text = TEXTS[key]
    assert set(text) == set(LANGUAGES)
    figures = {language: {name for _, name, _, _ in Formatter().parse(text[language]) if name} for language in text}
    assert figures["fi"] == figures["sv"] == figures["en"]
    for sentence in text.values():
        assert sentence.strip() == sentence != ""
        assert '"' not in sentence and "'" not in sentence.replace("browser's", "").replace(
            "organisation's", ""
        ).replace("researcher's", ""), "typographic quotation marks: ”…” in Finnish and Swedish, “…” in English"
        assert "  " not in sentence and "..." not in sentence and " - " not in sentence


@pytest.mark.parametrize("code", [*ERROR_CODES, "unanswered"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_its_sentence_with_its_figures(code, language):
    params = {name: 1234 for name in ERROR_CODES.get(code, ())}
    sentence = wordings()[language].error(InvalidAnswer(code, params))
    assert sentence.endswith(".") and "{" not in sentence
    assert not params or re.search(r"1[\u00a0,]234", sentence)


def test_no_sentence_is_left_that_nobody_says():
    unsaid = []
    for key in TEXTS:
        file, name = key.split("/")
        if file == "answers" or name.startswith(("error_", "mode_", "stored_", "feedback_sign_", "feedback_share_")):
            continue
        stem = name.partition(".")[0]
        if not re.search(rf"""["'.]{stem}\b""", SOURCE):
            unsaid.append(key)
    assert unsaid == []


def test_figures_are_written_as_the_language_does():
    say = wordings()
    assert say["fi"].say("answer.too_large", maximum=1234.5) == "Luku voi olla enintään 1\u00a0234,5."
    assert say["sv"].say("answer.too_small", minimum=-2) == "Talet måste vara minst \u22122."
    assert say["en"].say("answer.too_large", maximum=1234567) == "The number can be at most 1,234,567."


@pytest.mark.parametrize("mode", PRIVACY_MODES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_privacy_mode_says_what_it_does(mode, language):
    say = wordings()[language]
    assert say[f"mode_{mode}"] and say[f"stored_{mode}"]


def test_confidential_is_never_called_anonymous():
    """Organisation and role identify a chief executive, so the promise would be untrue."""
    assert "eivät nimettömiä" in wordings()["fi"]["mode_confidential"]
    assert "inte anonyma" in wordings()["sv"]["mode_confidential"]
    assert "not anonymous" in wordings()["en"]["mode_confidential"]
    for language in LANGUAGES:
        for mode in ("confidential", "named"):
            assert wordings()[language][f"mode_{mode}"] != wordings()[language]["mode_anonymous"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_a_template_knows_only_its_page_and_trusts_no_text(template):
    source = template.read_text()
    needed = meta.find_undeclared_variables(Environment(extensions=[]).parse(source))
    # A control is drawn in the middle of its page's loop, a file of macros is given the sentences, and all know macros.
    assert needed <= {"page", "asked", "control", "say", "parts", "part"}
    assert "safe" not in re.findall(r"\|\s*(\w+)", source)
    assert source.count("<script") == source.count('<script src="{{ page.script }}" defer></script>')
    assert " style=" not in source and not re.search(r"\son\w+=", source)


def test_nothing_in_the_web_marks_text_as_safe():
    assert "Markup" not in SOURCE and "autoescape=False" not in SOURCE


def test_every_type_of_question_has_a_look():
    """The template is named by the control; a type with its own look has it beside its code."""
    from kysely import loading  # noqa: F401  (imports every type)

    looks = {file.stem for file in (FOLDER / "templates" / "controls").glob("*.html")}
    own = {file.stem for file in (FOLDER.parent / "questions").glob("*.html")}
    named = set()
    for name in plugins.names("kysely.questions"):
        source = Path(plugins.load("kysely.questions", name).__file__).read_text()
        named |= set(re.findall(r'template="(\w+)"|"(lines)" if', source))
    assert {look for pair in named for look in pair if look} <= looks | own
