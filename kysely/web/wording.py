"""The sentences of the interface in every language, and how figures are written in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from ruamel.yaml import YAML

from kysely.errors import InvalidAnswer
from kysely.questions._text import spoken

LANGUAGES = ("fi", "sv", "en")

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_FOLDER = Path(__file__).parent / "translations"


@dataclass(frozen=True)
class Wording:
    """Every sentence of one language by its key; `plain` are those without figures, for templates."""

    language: str
    sentences: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.sentences[key]

    def say(self, key: str, **figures: object) -> str:
        """Return the sentence *key* with its figures in place."""
        return self.sentences[key].format(**{name: written(figure, self.language) for name, figure in figures.items()})

    def count(self, key: str, count: int, **figures: object) -> str:
        """Return the sentence *key* in the grammatical number of *count*; all three languages have two."""
        return self.say(f"{key}.{'one' if count == 1 else 'other'}", count=count, **figures)

    def day(self, day: date) -> str:
        """Return a day as the language writes it."""
        if self.language == "en":
            return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
        return f"{day.day}.{day.month}.{day.year}"

    def error(self, error: InvalidAnswer) -> str:
        """Return what a field with *error* is told."""
        return self.say(f"answer.{error.code}", **error.params)


def written(figure: object, language: str) -> str:
    """Return a number or date as the language writes it, and anything else as text."""
    if isinstance(figure, date):
        return spoken(figure, language)
    if isinstance(figure, bool) or not isinstance(figure, int | float):
        return str(figure)
    text = f"{int(figure):,}" if float(figure).is_integer() else f"{figure:,.10f}".rstrip("0")
    if language == "en":
        return text.replace("-", "\u2212")
    return text.replace(",", "\u00a0").replace(".", ",").replace("-", "\u2212")


@cache
def wordings() -> Mapping[str, Wording]:
    """Return the wording of each language."""
    texts: dict[str, Mapping[str, str]] = {}
    for name in ("interview", "statements", "site", "invitations", "feedback", "access", "gallery"):
        added = _read(name)
        if twice := texts.keys() & added.keys():
            raise AssertionError(f"{name}.yaml words what is worded before: {', '.join(sorted(twice))}")
        texts |= added
    texts |= {f"answer.{code}": text for code, text in _read("answers").items()}
    return {language: Wording(language, {key: text[language] for key, text in texts.items()}) for language in LANGUAGES}


def _read(name: str) -> Mapping[str, Mapping[str, str]]:
    return YAML(typ="safe", pure=True).load(_FOLDER / f"{name}.yaml")
