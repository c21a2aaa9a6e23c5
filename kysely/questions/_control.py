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
    """A field for typing: one line, or several where *lines* says so.

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
    """One row of a rating: a fieldset of radio buttons of its own."""

    name: str
    legend: str
    options: tuple[OptionControl, ...]


@dataclass(frozen=True)
class Control:
    """One question as shown: a fieldset with its legend.

    *name* is the form field of *options*, which are checkboxes if *multiple* and radio buttons otherwise.
    *errors* maps field names to what is wrong there, in the order of the fields.
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

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of every form field of this control, in the order shown."""
        names = [group.name for group in self.groups] + [line.name for line in self.lines]
        if self.options:
            names.append(self.name)
        names += [option.detail.name for option in self.options if option.detail]
        return tuple(names)
