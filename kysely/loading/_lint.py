"""What contradicts what: checks over the whole file, on all of it that could be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kysely.instrument import FRAME, OWN_ADDRESSES, OWN_FIELDS, Page
from kysely.loading import _conditions
from kysely.loading._binding import MAXIMUM_NAME, Binder, nearest
from kysely.loading._document import Form, Identity
from kysely.loading._nodes import Node
from kysely.questions._base import Question

MANY_QUESTIONS = 7


@dataclass(frozen=True)
class Parts:
    """The file as far as it could be read."""

    binder: Binder
    root: Node
    pages: tuple[Page, ...]
    forms: Mapping[str, Form]

    @property
    def questions(self) -> Iterator[Question]:
        return (question for page in self.pages for question in page.questions)

    def line(self, part: object, *path: str | int) -> int:
        return self.binder.node(part).at(*path)

    def orders(self) -> Iterator[tuple[str, tuple[Page, ...]]]:
        """Yield each form with its pages in the order they are asked; pages it names in vain are left out."""
        by_id = {page.id: page for page in self.pages}
        for name, form in self.forms.items():
            yield name, tuple(by_id[id] for id in dict.fromkeys(form.pages) if id in by_id)
        if not self.forms:
            yield "", self.pages


def check(binder: Binder, root: Node) -> None:
    """Note every contradiction between the parts."""
    parts = _parts(binder, root)
    _check_scales(parts)
    _check_pages(parts)
    _check_forms(parts)
    _check_settling(parts)
    _check_names(parts)
    _check_mentions(parts)
    _check_privacy(parts)
    for form, pages in parts.orders():
        _conditions.check(binder, form, pages)


def _parts(binder: Binder, root: Node) -> Parts:
    pages, forms = root.get("pages"), root.get("forms")
    return Parts(
        binder,
        root,
        (binder.items(Page, pages, "file: pages", {}) or ()) if pages else (),
        binder.members(Form, forms, "file: forms") if forms else {},
    )


def _check_scales(parts: Parts) -> None:
    for name, scale in parts.binder.scales.items():
        where = f"scale {name!r}"
        codes: dict[str, int] = {}
        highest = None
        for place, level in enumerate(scale.levels):
            line = parts.line(scale, "levels", place)
            if level.code.lower() in codes:
                parts.binder.add(
                    line, where, f"level {level.code} stands twice", "Give each its own code", "duplicate_code"
                )
            codes[level.code.lower()] = place
            if highest is not None and level.value == highest:
                cause = f"{level.code} has the value {level.value}, as the level before it"
                parts.binder.add(line, where, cause, "Give each level its own value", "duplicate_value")
            elif highest is not None and level.value < highest:
                cause = f"the values fall from {highest} to {level.value} at {level.code}"
                parts.binder.add(line, where, cause, "Put the levels in rising order", "not_monotone")
            highest = level.value
        if not scale.levels:
            parts.binder.add(parts.line(scale), where, "the scale has no levels", "Add `levels`", "no_levels")


def _check_privacy(parts: Parts) -> None:
    """Refuse to ask who somebody is where the privacy mode promises that nobody knows."""
    privacy = parts.root.get("privacy")
    mode = privacy.get("mode") if privacy is not None else None
    if mode is None or mode.value not in ("anonymous", "open"):
        return
    for question in parts.questions:
        if question.identifies:
            cause = f"it asks who the respondent is, and the privacy mode {mode.value} promises not to know"
            cure = "Take the question out, or use the mode confidential or named"
            parts.binder.add(parts.line(question), f"question {question.id!r}", cause, cure, "identifies")


def _check_pages(parts: Parts) -> None:
    pages = parts.root.get("pages")
    if pages is not None and pages.value == []:
        parts.binder.add(pages.line, "file", "there are no pages", "Add a page", "no_pages")
    _twice(parts, parts.pages, "page")
    for page in parts.pages:
        where = f"page {page.id!r}"
        written = parts.binder.node(page).get("questions")
        line = parts.line(page, "questions")
        if written is not None and not written.value:
            parts.binder.add(line, where, "the page has no questions", "Add one, or remove the page", "no_questions")
        if len(page.questions) > MANY_QUESTIONS:
            cause = f"the page has {len(page.questions)} questions, more than {MANY_QUESTIONS}"
            parts.binder.add(line, where, cause, "Divide it", "many_questions", fatal=False)
        for question in page.questions:
            if question.staged and len(page.questions) > 1:
                cause = "it takes more than one screen, and other questions stand on its page"
                cure = "Give it a page of its own"
                parts.binder.add(parts.line(question), f"question {question.id!r}", cause, cure, "not_alone")


def _check_forms(parts: Parts) -> None:
    known = {page.id for page in parts.pages} | _written_ids(parts.root)
    used: set[str] = set()
    for name, form in parts.forms.items():
        where = f"form {name!r}"
        if not form.pages:
            parts.binder.add(parts.line(form, "pages"), where, "the form has no pages", "Name some", "no_pages")
        for place, id in enumerate(form.pages):
            line = parts.line(form, "pages", place)
            if id in form.pages[:place]:
                parts.binder.add(line, where, f"page {id!r} stands twice", "Name it once", "page_twice")
            elif id not in known:
                cure = nearest(id, known) or "Add the page, or take it out of the form"
                parts.binder.add(line, where, f"there is no page {id!r}", cure, "unknown_page")
        used.update(form.pages)
    for page in parts.pages:
        if parts.forms and page.id not in used:
            cause = "no form shows the page"
            parts.binder.add(
                parts.line(page), f"page {page.id!r}", cause, "Name it in a form", "unused_page", fatal=False
            )


def _check_settling(parts: Parts) -> None:
    """Note pages that would settle answers where nothing is asked before them."""
    for form, pages in parts.orders():
        for place, page in enumerate(pages):
            if page.settles and not any(before.names for before in pages[:place]):
                named = f" in the form {form!r}" if form else ""
                cause = f"it settles what was answered before it, and nothing is asked before it{named}"
                cure = "Take `settles` out, or ask something first"
                parts.binder.add(parts.line(page, "settles"), f"page {page.id!r}", cause, cure, "settles_nothing")


def _check_names(parts: Parts) -> None:
    """Note names that clash: without case, as SPSS compares them, and with those that Kysely itself uses."""
    named = parts.root.get("id")
    if named is not None and str(named.value).lower() in OWN_ADDRESSES:
        cause = f"the id {named.value!r} is the address of another page of the site"
        parts.binder.add(named.line, "file: id", cause, "Choose another id", "reserved_name")
    _twice(parts, list(parts.questions), "question")
    identifying: dict[str, Question] = {}
    for question in parts.questions:
        first = identifying.setdefault(question.identity, question)
        if question.identifies and question is not first:
            cause = f"the respondent is identified already by {first.id!r}"
            cure = "Keep one of the two questions"
            parts.binder.add(parts.line(question), f"question {question.id!r}", cause, cure, "identified_twice")
    taken: dict[str, tuple[str, Question]] = {}
    for question in parts.questions:
        _check_variables(parts, question)
        for name in question.claims():
            if name.lower() in OWN_FIELDS:
                cause = f"its name {name!r} is that of a field which the interview adds to every form"
                parts.binder.add(
                    _line_of(parts, question, name),
                    f"question {question.id!r}",
                    cause,
                    "Choose another name",
                    "reserved_name",
                )
            other_name, other = taken.setdefault(name.lower(), (name, question))
            if other is not question and other.id.lower() != question.id.lower():
                line = _line_of(parts, question, name)
                cause = f"its name {name!r} clashes with {other_name!r} of question {other.id!r}"
                cure = "Choose another id or code; case makes no difference"
                parts.binder.add(line, f"question {question.id!r}", cause, cure, "name_clash")


def _check_variables(parts: Parts, question: Question) -> None:
    where = f"question {question.id!r}"
    seen: dict[str, str] = {}
    for variable in question.variables():
        name = variable.name
        line = _line_of(parts, question, name)
        if len(name) > MAXIMUM_NAME:
            cause = f"its variable {name!r} has {len(name)} characters"
            cure = f"Shorten the id or the code to make it at most {MAXIMUM_NAME}"
            parts.binder.add(line, where, cause, cure, "long_name")
        if name.lower() in FRAME:
            cause = f"its variable {name!r} has the name of a column that every extract has"
            parts.binder.add(line, where, cause, "Choose another name", "reserved_name")
        if name.lower() in seen and not _repeats_codes(question):
            other = seen[name.lower()]
            cause = f"its variables {other!r} and {name!r} clash"
            parts.binder.add(line, where, cause, "Choose another id or code; case makes no difference", "name_clash")
        seen.setdefault(name.lower(), name)


def _check_mentions(parts: Parts) -> None:
    """Note ids in `core`, `identity` and `order` that no question has."""
    known = {question.id for question in parts.questions} | parts.binder.unread
    core = parts.root.get("core")
    named = [("file: core", item) for item in core.value] if core and isinstance(core.value, list) else []
    identity = parts.root.get("identity")
    bound = parts.binder.bind(Identity, identity, "file: identity") if identity else None
    if identity and bound:
        named.append(("file: identity", identity.value["role"]))
    for question in parts.questions:
        if question.ordered_like is not None and question.ordered_like not in known:
            cause = f"there is no question {question.ordered_like!r} whose order it could take"
            cure = nearest(question.ordered_like, known) or "Name a question"
            line = parts.line(question, "order", "like")
            parts.binder.add(line, f"question {question.id!r}", cause, cure, "unknown_question")
    for where, node in named:
        if node.value not in known:
            cause = f"there is no question {node.value!r}"
            parts.binder.add(
                node.line, where, cause, nearest(node.value, known) or "Name a question", "unknown_question"
            )


def _twice(parts: Parts, members: Iterable[Page | Question], called: str) -> None:
    first: dict[str, Page | Question] = {}
    for member in members:
        other = first.setdefault(member.id.lower(), member)
        if other is not member:
            cause = f"the id {member.id!r} is used already on line {parts.line(other, 'id')}"
            cure = f"Give each {called} its own id; case makes no difference"
            parts.binder.add(parts.line(member, "id"), f"{called} {member.id!r}", cause, cure, "duplicate_id")


def _line_of(parts: Parts, question: Question, name: str) -> int:
    """Return the line of the option that *name* belongs to, of the question if it belongs to none."""
    written = parts.binder.node(question).get(question.members or "options")
    options = written.value if written and isinstance(written.value, list) else []
    for option in options:
        detail = option.get("detail")
        id = detail.get("id") if detail else None
        if id and id.value == name:
            return option.line
    for option in options:
        code = option.get("code")
        if code and name.endswith(f"_{code.value}"):
            return option.line
    return parts.line(question, "id")


def _repeats_codes(question: Question) -> bool:
    """Whether the variables of one question clash only because a code stands twice, which is noted already."""
    names = [variable.name.lower() for variable in question.variables() if variable.set]
    return len(set(names)) < len(names)


def _written_ids(root: Node) -> set[str]:
    """Return the ids of all pages that are written, readable or not."""
    pages = root.get("pages")
    written = pages.value if pages and isinstance(pages.value, list) else []
    return {id.value for page in written if (id := page.get("id")) and isinstance(id.value, str)}
