"""A respondent without a browser: reads the form that was served and posts it, as a browser would."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

STUDY = "operating_mode"
OWN_SCRIPT = re.compile(r'<script src="/assets/[0-9a-f]{12}/kysely\.js" defer></script>')
"""The one script that a page may have."""

# A whole interview: what each screen is answered with, in the order they come.
ANSWERS: dict[str, dict[str, object]] = {
    "organisation": {
        "organisation_name": "Esimerkki Oy",
        "organisation_municipality": "Turku",
        "BG10": "COMP",
        "BG12": "P10_19",
    },
    "activity": {"BG14": "C", "BG15": "R02", "BG16": ["B2B", "CIT"]},
    "respondent": {"BG01": "TOP", "BG02": "CEO", "BG04": "YES", "BG05": "LEAD", "BG06": "GT10"},
    "perspective": {"BG07": "UNIT", "BG08": "Myynti", "BG19": "NO"},
    "modes/choose": {"OM_B01": ["CUST", "PUB"]},
    "modes/rate": {"OM_B02_CUST": "CENTRAL", "OM_B02_PUB": "SOME"},
}


class Visitor:
    """Keeps cookies like one browser; `form` is the page last seen, `address` where it was."""

    def __init__(self, app: Flask, language: str = "fi", study: str = STUDY):
        self.client: FlaskClient = app.test_client()
        self.language = language
        self.study = study
        self.address = ""
        self.page: TestResponse

    def see(self, place: str = "") -> TestResponse:
        """Open a page of the study, following redirects."""
        self.address = f"/{self.language}/{self.study}/{place}"
        return self._arrive(self.client.get(self.address))

    def start(self) -> TestResponse:
        self.see()
        return self.send()

    def send(self, _button: tuple[str, str] | None = None, **typed: object) -> TestResponse:
        """Post the form of the page with *typed*, and follow where it leads."""
        return self._arrive(self.post(_button, **typed))

    def post(self, _button: tuple[str, str] | None = None, **typed: object) -> TestResponse:
        """Post the form of the page with *typed*, and stay."""
        fields = MultiDict(form(self.page).hidden)
        fields.update(typed)
        if _button:
            fields.add(*_button)
        return self.client.post(form(self.page).action, data=fields)

    def answer(self, *, until: str = "check-answers") -> TestResponse:
        """Answer screen after screen as ANSWERS says, up to *until*."""
        while self.place != until:
            self.send(**ANSWERS[self.place])
            assert self.page.status_code == 200, (self.place, self.page.text)
        return self.page

    @property
    def place(self) -> str:
        return self.address.split(f"/{self.study}/", 1)[1].partition("?")[0]

    def _arrive(self, response: TestResponse) -> TestResponse:
        while response.status_code in (302, 303):
            self.address = response.headers["Location"]
            response = self.client.get(self.address)
        self.page = response
        return response


class Form(HTMLParser):
    """The posting form of a page: its hidden fields, and what its other fields show."""

    def __init__(self, html: str):
        super().__init__()
        self.action = ""
        self.hidden: list[tuple[str, str]] = []
        self.shown: list[tuple[str, str]] = []
        self.buttons: list[tuple[str, str]] = []
        self.title = ""
        self.language = ""
        self._select = self._area = ""
        self._in_title = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name, value, kind = given.get("name", ""), given.get("value", ""), given.get("type", "")
        if tag == "html":
            self.language = given["lang"]
        elif tag == "title":
            self._in_title = True
        elif tag == "form":
            self.action = given["action"]
        elif tag == "button":
            self.buttons.append((name, value))
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.shown.append((self._select, value))
        elif tag == "textarea":
            self._area = name
        elif tag == "input" and kind == "hidden":
            self.hidden.append((name, value))
        elif tag == "input" and (kind == "text" or "checked" in given):
            self.shown.append((name, value))

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False
        self._area = ""

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        if self._area:
            # The first line feed of a textarea is markup, not text.
            self.shown.append((self._area, data.removeprefix("\n")))

    @property
    def typed(self) -> dict[str, list[str]]:
        """What the page shows as typed or chosen."""
        found: dict[str, list[str]] = {}
        for name, value in self.shown:
            if value:
                found.setdefault(name, []).append(value)
        return found


def form(page: TestResponse) -> Form:
    return Form(page.text)


def text(page: TestResponse) -> str:
    return unescape(page.text)
