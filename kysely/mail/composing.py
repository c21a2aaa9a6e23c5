"""A mail to one person, from words that are data: fixed placeholders are replaced, and nothing in them is ever run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from kysely import clock
from kysely.config import Settings
from kysely.errors import AuthorError, ConfigurationError, Problem
from kysely.instrument import Instrument
from kysely.questions._base import wording as in_language

if TYPE_CHECKING:
    from kysely.store import Wave

INVITATION, REMINDER = "invitation", "reminder"

PLACEHOLDERS = {
    "title": "the questionnaire's title",
    "purpose": "its purpose",
    "name": "the person's name as imported",
    "comma_name": "the name after a comma, nothing where there is none",
    "link": "the personal link",
    "length": "how long answering takes",
    "closing": "when the wave closes",
    "promise": "what the privacy mode promises",
    "asking": "who asks, and whom to ask",
    "stop": "the page that ends all mail",
}
"""All that a letter may name; anything else in braces is refused before the first mail."""

DUMMY = "2" * 27
"""The code of previews and test mails: it opens nothing."""

_FILE = Path(__file__).with_name("letters.yaml")
_OWN = "mail.yaml"
_PLACE = re.compile(r"\{(\w*)\}")
_BRACE = re.compile(r"[{}]")
_ADDRESS = re.compile(r"https?://\S+")


@dataclass(frozen=True)
class Letter:
    """Subject and body by language, with placeholders."""

    subject: Mapping[str, str]
    body: Mapping[str, str]


@dataclass(frozen=True)
class Letters:
    """The letters of one wave, and all they say that is the same for everybody."""

    settings: Settings
    instrument: Instrument
    wave: Wave
    letters: Mapping[str, Letter]
    sentences: Mapping[str, Mapping[str, str]]
    promise: Mapping[str, str]

    def text(self, kind: str, language: str, *, code: str, stop: str, name: str = "") -> tuple[str, str]:
        """Return subject and plain text of a letter."""
        letter = self.letters[self._kind(kind)]
        told = self._told(language, code=code, stop=stop, name=name)
        subject = " ".join(_filled(letter.subject[language], told).split())
        return subject, _tidy(_filled(letter.body[language], told))

    def message(
        self,
        kind: str,
        language: str,
        *,
        to: str,
        code: str,
        stop: str,
        message_id: str,
        now: datetime,
        name: str = "",
        answering: str = "",
    ) -> EmailMessage:
        """Return the mail: plain text, simple HTML of the same words, and the headers that let a program end mail."""
        subject, text = self.text(kind, language, code=code, stop=stop, name=name)
        mail = EmailMessage(policy=SMTP.clone(utf8=False, max_line_length=78))
        shown, address = parseaddr(self.settings.mail_from)
        mail["From"] = Address(shown, addr_spec=address)
        mail["To"] = Address(name, addr_spec=to) if to.isascii() else to
        mail["Subject"] = subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = message_id
        if answering:
            mail["In-Reply-To"] = answering
            mail["References"] = answering
        mail["List-Unsubscribe"] = f"<{self.settings.base_url}/stop/{stop}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text, cte="quoted-printable")
        mail.add_alternative(html(subject, text, language), subtype="html", cte="quoted-printable")
        mail["Content-Language"] = language
        return mail

    def language(self, wished: str | None) -> str:
        return wished if wished in self.instrument.languages else self.instrument.languages[0]

    def _kind(self, kind: str) -> str:
        if kind == REMINDER and self.instrument.privacy_mode == "anonymous":
            return "anonymous_reminder"
        return kind

    def _told(self, language: str, *, code: str, stop: str, name: str) -> dict[str, str]:
        asking, wave = self.wave.asking, self.wave
        sentence = {key: texts[language] for key, texts in self.sentences.items()}
        until = wave.closes_at and clock.said_closing(wave.closes_at, language)
        closing = until and _filled(sentence["closing"], {"time": until})
        length = self.instrument.minutes and _filled(sentence["length"], {"minutes": str(self.instrument.minutes)})
        who = {"controller": asking.controller, "contact": asking.contact}
        return {
            "title": in_language(self.instrument.title, language),
            "purpose": in_language(self.instrument.purpose, language) if self.instrument.purpose else "",
            "name": name,
            "comma_name": f" {name}" if name else "",
            "link": link_to(self.settings, code, language),
            "length": length or "",
            "closing": closing or "",
            "promise": self.promise[language],
            "asking": _filled(sentence["asking"], who) if asking.controller else sentence["nobody"],
            "stop": f"{self.settings.base_url}/{language}/stop/{stop}",
        }


def link_to(settings: Settings, code: str, language: str = "") -> str:
    """Return the personal link of *code*; raises ConfigurationError where nobody has said what links begin with."""
    if not settings.base_url:
        raise ConfigurationError("KYSELY_BASE_URL is missing; links in mails begin with it: https://kysely.example.fi")
    return f"{settings.base_url}/{language}/r/{code}" if language else f"{settings.base_url}/r/{code}"


def letters(settings: Settings, instrument: Instrument, wave: Wave, promise: Mapping[str, str]) -> Letters:
    """Return the letters of *instrument*, its own where questionnaires/<instrument>/mail.yaml has them.

    Raises AuthorError for every fault of that file, and ConfigurationError without a sender or a base of links.
    """
    link_to(settings, DUMMY)
    if not settings.mail_from:
        raise ConfigurationError("KYSELY_MAIL_FROM is missing; say who writes: The study <survey@example.fi>")
    built_in = _read(_FILE)
    own = settings.questionnaires / instrument.id / _OWN
    found: dict[str, Any] = {name: built_in[name] for name in (INVITATION, REMINDER, "anonymous_reminder")}
    if own.is_file():
        found |= _checked(own, instrument)
    return Letters(
        settings,
        instrument,
        wave,
        {name: Letter(letter["subject"], letter["body"]) for name, letter in found.items()},
        built_in["sentences"],
        promise,
    )


def check(folder: Path, instrument: Instrument) -> tuple[Problem, ...]:
    """Return every problem of the letters in *folder*, in the order of its lines; none where it has no file of them."""
    try:
        if (folder / _OWN).is_file():
            _checked(folder / _OWN, instrument)
    except AuthorError as error:
        return error.problems
    return ()


def html(subject: str, text: str, language: str) -> str:
    """Return the words of *text* as every mail program shows them: paragraphs and links, no picture, no style."""
    paragraphs = [
        "<br>\n".join(_with_links(line) for line in paragraph.split("\n"))
        for paragraph in re.split(r"\n{2,}", text.strip())
    ]
    body = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        f"<title>{escape(subject)}</title></head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _with_links(line: str) -> str:
    parts, end = [], 0
    for match in _ADDRESS.finditer(line):
        parts.append(escape(line[end : match.start()]))
        parts.append(f'<a href="{escape(match[0])}">{escape(match[0])}</a>')
        end = match.end()
    return "".join(parts) + escape(line[end:])


def _filled(text: str, told: Mapping[str, str]) -> str:
    # One pass: what stands for a placeholder is never looked through for others.
    return _PLACE.sub(lambda match: told[match[1]], text)


def _tidy(text: str) -> str:
    """Return *text* without the blanks and blank lines that empty placeholders leave."""
    lines = [" ".join(line.split()) for line in text.strip().split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)) + "\n"


def _read(file: Path) -> Any:
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


def _checked(file: Path, instrument: Instrument) -> Mapping[str, Any]:
    """Return the letters of an author's file; raises AuthorError with every fault of it."""
    problems: list[Problem] = []

    def add(line: int, where: str, cause: str, cure: str) -> None:
        problems.append(Problem(str(file), line, where, cause, cure))

    try:
        written = YAML(typ="rt", pure=True).load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        add(mark.line + 1 if mark else 1, "file", "it can't be read as YAML", "See the letters in docs/authoring.md")
        raise AuthorError(problems) from None
    if not isinstance(written, CommentedMap):
        add(1, "file", "it holds no letters", "It has the keys invitation and reminder")
        raise AuthorError(problems)
    kinds = (INVITATION, REMINDER)
    for kind, letter in written.items():
        line = written.lc.key(kind)[0] + 1
        if kind not in kinds or not isinstance(letter, CommentedMap) or set(letter) != {"subject", "body"}:
            add(line, str(kind), "it is no letter", f"Letters are {' and '.join(kinds)}, with subject and body")
            continue
        for part, texts in letter.items():
            at = letter.lc.key(part)[0] + 1
            if not isinstance(texts, CommentedMap) or set(texts) != set(instrument.languages):
                add(at, f"{kind}: {part}", "a language is missing or unknown", f"Use {', '.join(instrument.languages)}")
                continue
            for language, text in texts.items():
                where = f"{kind}: {part}: {language}"
                for cause, cure in _faults(kind, part, text, instrument):
                    add(texts.lc.key(language)[0] + 1, where, cause, cure)
    if problems:
        raise AuthorError(problems)
    taken = {kind: {part: dict(texts) for part, texts in letter.items()} for kind, letter in written.items()}
    if REMINDER in taken:
        taken["anonymous_reminder"] = taken[REMINDER]
    return taken


def _faults(kind: str, part: str, text: object, instrument: Instrument) -> list[tuple[str, str]]:
    if not isinstance(text, str) or not text.strip():
        return [("there is no text", "Write one")]
    faults = []
    for name in dict.fromkeys(_PLACE.findall(text)):
        if name not in PLACEHOLDERS:
            faults.append((f"the placeholder {{{name}}} is unknown", f"There are: {', '.join(PLACEHOLDERS)}"))
    if _BRACE.search(_PLACE.sub("", text)):
        faults.append(("a brace stands alone", "Braces go around the name of a placeholder"))
    again = kind == REMINDER and instrument.privacy_mode == "anonymous"
    if part == "body" and "{link}" not in text and not again:
        faults.append(("there is no {link}", "Without it nobody can answer"))
    if again and "{link}" in text:
        faults.append(
            (
                "in anonymous mode a link can't be written again",
                "Leave {link} out; the mail answers the one that has it",
            )
        )
    if part == "body" and "{stop}" not in text:
        faults.append(("there is no {stop}", "Everybody must be able to end the mail"))
    if part == "subject" and ("\n" in text.strip() or {"link", "stop"} & set(_PLACE.findall(text))):
        faults.append(("a subject is one line without a link", "Put it into the body"))
    return faults
