"""What the pages about accounts are made of: fields, and what is told where one is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from flask import abort, request
from werkzeug.datastructures import MultiDict

from kysely.web.contexts import Alert, Form, Frame, Link
from kysely.web.security import Guard, Passport, same_browser

REALM = "log-in"
"""What tickets of these forms are of. Its hyphen keeps it apart from every study."""

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "")


@dataclass(frozen=True, slots=True)
class Field:
    """One line to fill; *autocomplete* tells password managers what it is, so that nothing must be remembered."""

    name: str
    label: str
    autocomplete: str
    hidden: bool = False
    value: str = ""
    hint: str = ""
    error: str = ""
    digits: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A QR code as the path of an SVG of *size* by *size* squares, with what it is for in words."""

    path: str
    size: int
    label: str


@dataclass(frozen=True, slots=True)
class FormPage:
    """One form about an account. *codes* are shown this once, *secret* under the picture of it."""

    frame: Frame
    heading: str
    paragraphs: tuple[str, ...] = ()
    picture: Picture | None = None
    secret: str = ""
    address: Link | None = None
    codes: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    form: Form | None = None
    alert: Alert | None = None
    note: str = ""
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A place where one is logged in; *form* ends it, None for this one."""

    browser: str
    times: tuple[str, ...]
    form: Form | None


@dataclass(frozen=True, slots=True)
class AccountPage:
    frame: Frame
    heading: str
    facts: tuple[tuple[str, str], ...]
    links: tuple[Link, ...]
    sessions_heading: str
    sessions: tuple[SessionRow, ...]
    others: Form | None
    leave: Form
    note: str = ""


def sent(guard: Guard, passport: Passport | None, page: str) -> MultiDict[str, str] | None:
    """Return what the form of *page* sent, None if it was not shown to this browser; aborts for what is no form."""
    if request.mimetype not in _FORM_TYPES:
        abort(415)
    if guard.sent_from_elsewhere(request):
        abort(403)
    ticket = guard.read_ticket(REALM, request.form.get("ticket", ""))
    if ticket is None or passport is None or not same_browser(ticket, passport):
        return None
    return request.form if ticket.page == page and "end" in request.form else None


def faults(fields: tuple[Field, ...], heading: str) -> Alert | None:
    """Return what stands above a form with wrong fields, each with a link to it."""
    links = tuple(Link(f"{field.label} – {field.error}", f"#f-{field.name}") for field in fields if field.error)
    return Alert(heading, (), links) if links else None
