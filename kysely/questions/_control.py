"""What a template needs to draw one question: plain values, every sentence already in the respondent's language.

A template draws, in this order, whichever of these a control has: legend, instruction, errors, `groups`,
`lines`, `options`. `template` names the look: a shared one of the web, or the type whose own is beside it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kysely.errors import InvalidAnswer


@dataclass(frozen=True)
class LineControl:
    """A field for typing: one line, or several where *lines* says so; *detail* is a line that belongs to it.

    *maximum* is the length in characters that is accepted, None where the field is no open text.
    """

    name: str
    label: str
    value: str = ""
    maximum: int | None = None
    lines: int = 1
    inputmode: str = "text"
    unit: str = ""
    autocomplete: str = "off"
    detail: LineControl | None = None


@dataclass(frozen=True)
class OptionControl:
    """A radio button or checkbox; *detail* is the line that belongs to it ("other, what?")."""

    code: str
    label: str
    checked: bool = False
    exclusive: bool = False
    detail: LineControl | None = None


@dataclass(frozen=True)
class GroupControl:
    """One row of a rating: a fieldset of radio buttons of its own, or a list to choose from.

    *poles* are the two ends of a bipolar row. *within* is what several groups have in common, a heading of theirs.
    """

    name: str
    legend: str
    options: tuple[OptionControl, ...]
    poles: tuple[str, str] | None = None
    within: str = ""
    detail: LineControl | None = None

    @property
    def called(self) -> str:
        """What the row is called where it stands alone."""
        return f"{self.within.rstrip('.')} – {self.legend}" if self.within else self.legend


@dataclass(frozen=True)
class Offer:
    """A second way to send the page, as a button: the sentence *code* with its figures says what it does."""

    name: str
    value: str
    code: str
    params: Mapping[str, object]


@dataclass(frozen=True)
class Control:
    """One question as shown: a fieldset with its legend.

    *name* is the form field of *options*, which are checkboxes if *multiple* and radio buttons otherwise.
    *errors* maps field names to what is wrong there, in the order of the fields. *whole* is the name under which
    stands what is wrong with all of them together, where that is no field. *paragraphs* are text to read.
    *summary* is how the answer is read back where that isn't field by field.
    """

    template: str
    name: str
    legend: str
    instruction: str = ""
    multiple: bool = False
    options: tuple[OptionControl, ...] = ()
    groups: tuple[GroupControl, ...] = ()
    lines: tuple[LineControl, ...] = ()
    errors: Mapping[str, InvalidAnswer] = field(default_factory=dict)
    required: bool = False
    whole: str = ""
    cards: bool = False
    offers: tuple[Offer, ...] = ()
    paragraphs: tuple[str, ...] = ()
    summary: tuple[str, ...] | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of every form field of this control, in the order shown."""
        names = [self.whole] if self.whole else []
        names += [group.name for group in self.groups] + [line.name for line in self.lines]
        if self.options:
            names.append(self.name)
        names += [option.detail.name for option in self.options if option.detail]
        names += [group.detail.name for group in self.groups if group.detail]
        names += [line.detail.name for line in self.lines if line.detail]
        return tuple(names)

    @property
    def first(self) -> str:
        """The first field one can be led to."""
        return next((name for name in self.fields if name != self.whole), self.name)
