"""What each template receives: one frozen dataclass a template, with every sentence settled before it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kysely.finished import Chart
from kysely.questions._control import Control
from kysely.web.wording import Wording

LONG_LIST = 9
"""A single choice of more options than this is drawn as the platform's own list: twenty rows are long on a phone."""


@dataclass(frozen=True, slots=True)
class Link:
    """*name* is what a screen reader is told where *text* alone is told apart only by its place on the page."""

    text: str
    href: str
    name: str = ""
    language: str = ""
    current: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page. *say* holds the sentences of the language that have no figures."""

    language: str
    title: str
    say: Mapping[str, str]
    stylesheet: str
    fonts: tuple[str, ...]
    icon: str
    home: str
    footer: tuple[Link, ...]
    notice: str = ""
    alarm: str = ""
    brand: str = ""
    languages: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviewStep:
    """A page in the index of a preview: its condition and the answers that lead there, or why nothing does.

    *settles* says that what was answered before it stands.
    """

    heading: str
    condition: str
    action: str
    answers: tuple[str, ...]
    unreachable: str
    settles: str


@dataclass(frozen=True, slots=True)
class PreviewPage:
    frame: Frame
    heading: str
    text: str
    start: Link
    button: str
    steps: tuple[PreviewStep, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A heading with its paragraphs."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """What stands between the respondent and the next page; takes the focus. *links* lead to the fields."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Button:
    """A submit button; *action* is an address of its own where it doesn't post to the form's."""

    label: str
    name: str = ""
    value: str = ""
    look: str = ""
    action: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """What is posted, and where to; *carried* fields go along unseen."""

    action: str
    ticket: str
    buttons: tuple[Button, ...]
    carried: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    words: str
    number: int
    count: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as drawn: its control, and the sentences about its fields by their names."""

    control: Control
    template: str
    errors: Mapping[str, str]
    limits: Mapping[str, str]
    mark: str = ""

    @property
    def error(self) -> str:
        """What is wrong with the choice itself."""
        return self.errors.get(self.control.whole or self.control.name, "")

    @property
    def wrong(self) -> bool:
        return bool(self.errors) and not self.control.groups


@dataclass(frozen=True, slots=True)
class QuestionPage:
    frame: Frame
    heading: str
    text: str
    asked: tuple[Asked, ...]
    form: Form | None
    progress: Progress | None = None
    alert: Alert | None = None
    onward: Link | None = None
    languages: tuple[Button, ...] = ()
    note: str = ""
    elsewhere: Link | None = None
    later: Button | None = None
    script: str = ""
    unsent: str = ""
    settles: str = ""


@dataclass(frozen=True, slots=True)
class IntroductionPage:
    frame: Frame
    heading: str
    facts: tuple[Fact, ...]
    more: Link
    form: Form | None
    alert: Alert | None = None
    state: str = ""
    onward: Link | None = None
    personal: Link | None = None
    code: Link | None = None


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """What a personal link opens, or a sentence about one; *ask* is the label of the field for a code."""

    frame: Frame
    heading: str
    paragraphs: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    note: str = ""
    ask: str = ""
    form: Form | None = None
    alert: Alert | None = None

    def with_ticket(self, ticket: str) -> InvitationPage:
        assert self.form is not None
        return replace(self, form=replace(self.form, ticket=ticket))


@dataclass(frozen=True, slots=True)
class Given:
    """What was answered to one question: *answers* is () where nothing was."""

    question: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GivenPage:
    """A page as it was answered; without *change* its answers stand."""

    heading: str
    given: tuple[Given, ...]
    change: Link | None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    frame: Frame
    heading: str
    text: str
    pages: tuple[GivenPage, ...]
    form: Form
    back: Link
    alert: Alert | None = None
    unsaved: tuple[Link, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class SettledPage:
    frame: Frame
    note: str
    given: GivenPage
    onward: Link
    elsewhere: Link | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    question: str
    saved: tuple[str, ...]
    mine: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConflictPage:
    """Two versions of one page; either choice is one press, and so is the way to a third."""

    frame: Frame
    heading: str
    alert: Alert
    differences: tuple[Difference, ...]
    form: Form
    edit: Link


@dataclass(frozen=True, slots=True)
class ThanksPage:
    frame: Frame
    heading: str
    paragraphs: tuple[str, ...]
    onward: Link
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class CodePage:
    """A page about the code with which one comes back: *code* shows it, *ask* is the label of a field for it.

    *check* is the label of a box that must be ticked first.
    """

    frame: Frame
    heading: str
    paragraphs: tuple[str, ...] = ()
    code: str = ""
    form: Form | None = None
    ask: str = ""
    typed: str = ""
    error: str = ""
    check: str = ""
    check_error: str = ""
    alert: Alert | None = None
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure in words, with a bar; *part* is its length in per cent, None for no bar."""

    label: str
    text: str
    part: float | None = None


@dataclass(frozen=True, slots=True)
class BarRow:
    name: str
    cells: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class FeatureCard:
    """A typical feature; *sign* is what the respondent's answers say of it, *says* the same in words."""

    text: str
    sign: str
    says: str
    supports: str
    watch: str


@dataclass(frozen=True, slots=True)
class ModeCard:
    heading: str
    paragraphs: tuple[str, ...]
    features: tuple[FeatureCard, ...]


@dataclass(frozen=True, slots=True)
class ChangedMode:
    short: str
    supports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    text: str
    modes: tuple[ChangedMode, ...]


@dataclass(frozen=True, slots=True)
class FeedbackPage:
    frame: Frame
    heading: str
    lead: str
    note: str
    profile: tuple[BarRow, ...]
    findings: tuple[str, ...]
    modes: tuple[ModeCard, ...]
    changes: tuple[Change, ...]
    peers_text: tuple[str, ...]
    peers: tuple[BarRow, ...]
    closing: tuple[str, ...]
    back: Link


@dataclass(frozen=True, slots=True)
class StudyCard:
    title: str
    purpose: str
    duration: str
    link: Link


@dataclass(frozen=True, slots=True)
class FrontPage:
    frame: Frame
    heading: str
    studies: tuple[StudyCard, ...]
    charts: Link


@dataclass(frozen=True, slots=True)
class StatementPage:
    frame: Frame
    heading: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ChartCard:
    kicker: str
    link: Link
    picture: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class GallerySection:
    id: str
    heading: str
    marks: tuple[str, ...]
    reports: tuple[Link, ...]
    charts: tuple[ChartCard, ...]


@dataclass(frozen=True, slots=True)
class ChartPicture:
    """*narrow* is the address of the twin for small screens; "" where a reader has chosen the width."""

    address: str
    width: int
    height: int
    narrow: str
    narrow_width: int
    narrow_height: int


@dataclass(frozen=True, slots=True)
class ChartPage:
    frame: Frame
    chart: Chart
    back: Link
    marks: tuple[str, ...]
    picture: ChartPicture
    widths: tuple[Link, ...]
    languages: tuple[Link, ...]
    method: tuple[str, ...]
    downloads: tuple[Link, ...]
    snippet_hint: str
    snippet: str


@dataclass(frozen=True, slots=True)
class GalleryPage:
    frame: Frame
    heading: str
    text: str
    sections: tuple[GallerySection, ...]


@dataclass(frozen=True, slots=True)
class ErrorPage:
    frame: Frame
    heading: str
    paragraphs: tuple[str, ...]
    links: tuple[Link, ...] = ()


def asked(control: Control, wording: Wording, *, optional: bool) -> Asked:
    """Return *control* ready to draw: its look decided, its errors and limits in words."""
    return Asked(
        control=control,
        template=_look(control),
        errors={name: wording.error(error) for name, error in control.errors.items()},
        limits={
            line.name: wording.say("at_most_characters", maximum=line.maximum)
            for line in control.lines
            if line.lines > 1 and line.maximum
        },
        mark=wording["answer_needed"] if control.required else wording["optional"] if optional else "",
    )


def error_links(asked: Sequence[Asked]) -> tuple[Link, ...]:
    """Return a link to each field that has an error, in the order shown; its text names the field and the cure."""
    return tuple(
        Link(
            f"{_field_label(each.control, name)} – {each.errors[name]}",
            f"#f-{each.control.first if name == each.control.whole else name}",
        )
        for each in asked
        for name in each.control.fields
        if name in each.errors
    )


def given(control: Control) -> tuple[str, ...]:
    """Return what a control shows as answered, one text per option, row or line."""
    answers = [_chosen(option.label, option.detail) for option in control.options if option.checked]
    if control.summary is not None:
        return (*control.summary, *answers)
    for group in control.groups:
        answers += [f"{group.called.rstrip('.')}: {option.label}" for option in group.options if option.checked]
    for line in control.lines:
        if line.value:
            text = f"{line.value} {line.unit}".strip()
            answers.append(text if len(control.lines) == 1 else f"{_chosen(line.label, line.detail)}: {text}")
    return tuple(answers)


def _look(control: Control) -> str:
    if control.template == "choices" and not control.multiple and len(control.options) > LONG_LIST:
        return "list"
    return control.template


def _field_label(control: Control, name: str) -> str:
    for group in control.groups:
        if group.name == name:
            return group.called
    details = [each.detail for each in control.options] + [each.detail for each in control.groups]
    details += [each.detail for each in control.lines]
    for line in (*control.lines, *(detail for detail in details if detail)):
        if line.name == name and line.label:
            return line.label
    return control.legend


def _chosen(label: str, detail: object) -> str:
    value = getattr(detail, "value", "")
    return f"{label}: {value}" if value else label
