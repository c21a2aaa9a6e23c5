"""The sentences of the reports, one file a language: reports/wording/<language>.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from kysely.errors import AnalystError

FOLDER = Path(__file__).parents[1] / "wording"


def languages() -> tuple[str, ...]:
    """Return the languages a report can be written in, the instrument's base language first."""
    found = {path.stem for path in FOLDER.glob("*.toml")}
    return tuple(sorted(found, key=lambda language: (language != "fi", language != "sv", language)))


@dataclass(frozen=True)
class Wording:
    """The sentences of one language. `say("crosstabs.title")`, `say("front.respondents", n="360")`."""

    language: str

    def __call__(self, key: str, /, **values: object) -> str:
        found = self._find(key)
        if not isinstance(found, str):
            raise AnalystError(f"reports/wording/{self.language}.toml has no sentence {key!r}")
        return found.format(**values) if values else found

    def list(self, key: str, /, **values: object) -> tuple[str, ...]:
        """Return the sentences of a list."""
        found = self._find(key)
        if not isinstance(found, list):
            raise AnalystError(f"reports/wording/{self.language}.toml has no list {key!r}")
        return tuple(text.format(**values) if values else text for text in found)

    def has(self, key: str) -> bool:
        return self._find(key) is not None

    def _find(self, key: str) -> Any:
        found: Any = _sentences(self.language)
        for name in key.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found


@cache
def _sentences(language: str) -> dict[str, Any]:
    path = FOLDER / f"{language}.toml"
    if not path.is_file():
        raise AnalystError(f"no report is worded in {language!r}; there are: {', '.join(languages())}")
    return tomllib.loads(path.read_text(encoding="utf-8"))
