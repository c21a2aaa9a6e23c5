"""Three audiences, three families: the respondent, the author of a questionnaire or plan, the analyst or operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class KyselyError(Exception):
    """An error whose message is meant for a person: what is wrong, where, and how to mend it.

    The doors (command line, web) print the message and nothing else; anything that
    is not a KyselyError is a defect of ours.
    """

    exit_code = 1


@dataclass(frozen=True)
class InvalidAnswer(Exception):
    """What a respondent typed can't be accepted; *code* names the sentence that says so at the field.

    The sentence lives with the other wording of the interview, in every language;
    *params* are its figures (a maximum, a count), never the typed text.
    """

    code: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.code


@dataclass(frozen=True, order=True)
class Problem:
    """One fault of a file that an author wrote: where it stands, its cause and its cure."""

    file: str
    line: int
    where: str
    cause: str
    cure: str
    code: str = field(default="", compare=False)
    fatal: bool = field(default=True, compare=False)

    def __str__(self) -> str:
        kind = "" if self.fatal else "warning: "
        return f"{self.file}:{self.line}: {kind}{self.where}: {self.cause}. {self.cure}."


class AuthorError(KyselyError):
    """Everything that is wrong with the files of an author, all at once."""

    exit_code = 2

    def __init__(self, problems: Sequence[Problem]):
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigurationError(KyselyError):
    """The settings can't work or aren't safe; says which one and what it should be."""

    exit_code = 3


class StoreError(KyselyError):
    """The database can't be opened, read or written; says what to do about it."""

    exit_code = 4


class AnalystError(KyselyError):
    """A result can't be computed honestly, so the run stops: nothing half-right is published."""

    exit_code = 5
