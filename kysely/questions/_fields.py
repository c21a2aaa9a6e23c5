"""The WTForms fields that read what a respondent typed. WTForms parses and validates here; it never draws.

WTForms' own fields take the first of two equal keys, read `1_0` as 10 and Arabic-Indic digits as numbers,
so ours read strictly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from wtforms.fields.core import Field  # type: ignore[import-untyped]
from wtforms.form import BaseForm  # type: ignore[import-untyped]

from kysely.codebook import Number
from kysely.errors import InvalidAnswer
from kysely.questions._text import folded, number, within

Fields = Mapping[str, Any]
"""WTForms fields by name, not yet bound to a form: made once a question and stage."""


def read(fields: Fields, typed: Any) -> tuple[dict[str, Any], dict[str, InvalidAnswer]]:
    """Return what *typed* says in each field, and what is wrong in which field."""
    form = BaseForm(fields)
    form.process(typed)
    if form.validate():
        return form.data, {}
    return form.data, {name: errors[0] for name, errors in form.errors.items() if name}


class _Field(Field):
    """Turns an InvalidAnswer into an error of its field; blank is None."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        try:
            self.data = self.read(valuelist)
        except InvalidAnswer as error:
            raise ValueError(error) from None

    def read(self, texts: list[str]) -> Any:
        raise NotImplementedError


class CodeField(_Field):
    """One code of *codes*, or None."""

    def __init__(self, *, codes: Collection[str], **kwargs: Any):
        super().__init__("", **kwargs)
        self.codes = codes

    def read(self, texts: list[str]) -> str | None:
        return _known(_only(texts), self.codes)


class CodesField(_Field):
    """Some codes of *codes*, each at most once, in the order of *codes*; None if none."""

    def __init__(self, *, codes: Collection[str], **kwargs: Any):
        super().__init__("", **kwargs)
        self.codes = codes

    def read(self, texts: list[str]) -> tuple[str, ...] | None:
        given = [code for text in texts if (code := _known(text, self.codes))]
        if len(set(given)) < len(given):
            raise InvalidAnswer("ambiguous")
        return tuple(code for code in self.codes if code in given) or None


class LineField(_Field):
    """Open text of at most *maximum* characters, folded; None if blank."""

    def __init__(self, *, maximum: int, **kwargs: Any):
        super().__init__("", **kwargs)
        self.maximum = maximum

    def read(self, texts: list[str]) -> str | None:
        return within(folded(_only(texts)), self.maximum) or None


class NumberField(_Field):
    """A number from *minimum* to *maximum*; None if blank."""

    def __init__(self, *, minimum: Number | None, maximum: Number | None, integer: bool, **kwargs: Any):
        super().__init__("", **kwargs)
        self.minimum = minimum
        self.maximum = maximum
        self.integer = integer

    def read(self, texts: list[str]) -> Number | None:
        text = folded(_only(texts))
        return self.judged(number(self.cleaned(text), integer=self.integer)) if text else None

    def cleaned(self, text: str) -> str:
        """Return *text* without what may stand beside the number."""
        return text

    def judged(self, value: Number) -> Number:
        """Return *value*, or raise InvalidAnswer if it is none of those accepted."""
        if self.minimum is not None and value < self.minimum:
            raise InvalidAnswer("too_small", {"minimum": self.minimum})
        if self.maximum is not None and value > self.maximum:
            raise InvalidAnswer("too_large", {"maximum": self.maximum})
        return value


def _only(texts: list[str]) -> str:
    if len(texts) > 1:
        raise InvalidAnswer("ambiguous")
    return texts[0] if texts else ""


def _known(text: str, codes: Collection[str]) -> str | None:
    code = folded(text)
    if code and code not in codes:
        raise InvalidAnswer("unknown_code")
    return code or None
