"""Requests of every kind to every route, with every method and field, on SQLite and PostgreSQL side by side.

Made by chance from a seed: whatever is sent, both answer with the same page, never with a failure, and what isn't
answered by a redirect has saved nothing. A route or a form that isn't named here makes the first test fail.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from urllib.parse import quote, quote_from_bytes

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from kysely import links, loading, routing
from kysely import store as stores
from kysely.access import Role
from kysely.config import Settings
from kysely.instrument import Instrument
from kysely.routing import Screen
from kysely.store import REAL, ResponseState
from kysely.web import MAXIMUM_REQUEST, create_app
from tests.kysely.web._account import PASSWORD, log_in, make_account
from tests.kysely.web._invited import NOW, code_of, invite
from tests.kysely.web._visitor import OWN_SCRIPT, STUDY, Visitor, form
from tests.kysely.web.test_hostile import PAYLOADS, elements_of

REQUESTS = 20_000 if os.environ.get("KYSELY_LONG") else 400
RESTART = 2000
"""Requests after which both servers are started anew: they remember guessers, who would be all that is left."""

SEED = 2026
COOKIE = f"kysely_{STUDY}"
SECRET = "salainen-merkki"

METHODS = ("POST", "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW")
WHO = ("stranger", "begun", "at the review", "sent", "invited", "logged in")

UNTIL = {"begun": "shared", "at the review": "check-answers", "sent": "check-answers", "invited": "organisation"}
"""How far they have come. "shared" is the last page before one that settles all of those before it."""

OWN = ("ticket", "end", "skip", "go", "language", "edit", "typed", "__class__", "_method", "X")
"""Fields of the interview itself, and some of nobody's."""

FORMS: Mapping[str, tuple[str, ...]] = {
    "/<any(fi,sv,en):language>/<study>/": (),
    "/<any(fi,sv,en):language>/<study>/check-answers": (),
    "/<any(fi,sv,en):language>/<study>/change-my-answers": (),
    "/<any(fi,sv,en):language>/<study>/<page>": (),  # and the fields of the page
    "/<any(fi,sv,en):language>/<study>/<page>/<stage>": (),
    "/<any(fi,sv,en):language>/<study>/continue-later": (),
    "/<any(fi,sv,en):language>/<study>/continue-with-a-code": ("code",),
    "/<any(fi,sv,en):language>/<study>/erase-my-answers": ("code", "sure"),
    "/<any(fi,sv,en):language>/r/": ("code",),
    "/<any(fi,sv,en):language>/stop/<path:code>": ("leave", "List-Unsubscribe"),
    "/stop/<path:code>": ("leave", "List-Unsubscribe"),
    "/<any(fi,sv,en):language>/preview/<page>": (),
    "/<any(fi,sv,en):language>/log-in": ("name", "password"),
    "/<any(fi,sv,en):language>/one-time-code": ("code",),
    "/<any(fi,sv,en):language>/set-password": ("code", "password", "again"),
    "/<any(fi,sv,en):language>/log-out": (),
    "/<any(fi,sv,en):language>/my-account/end-session": ("session",),
    "/<any(fi,sv,en):language>/my-account/password": ("current", "password", "again"),
    "/<any(fi,sv,en):language>/my-account/one-time-codes": ("current", "code"),
}
"""The routes that take a form, and its fields."""

ODD = ("", "..", "../../etc/passwd", "x\r\nSet-Cookie: a=b", "<script>", "'--", "\x00", "ä" * 300, "__class__", "-1")
PARTS: dict[str, tuple[str, ...]] = {
    "language": ("fi", "sv", "en"),
    "study": (*[STUDY] * 12, "nowhere", "__class__"),
    "page": ("nowhere", "check-answers", "thank-you"),
    "stage": ("choose", "rate", "nowhere"),
    "code": (*["{link}", "{stop}"] * 5, "{unknown}", "{code}", "x)", "x" * 26),
    "digest": ("{digest}", "{digest}", "0" * 12),
    "name": ("kysely.css", "kysely.js", "Inter-Regular.woff2", "icon.svg", "OM_FIG01.png", "report.html"),
    "instrument": (STUDY, "nowhere"),
    "id": ("OM_FIG01", "report"),
}
"""What stands in an address. Words in braces are another in each database."""

TORTURE: tuple[bytes, ...] = tuple(
    text.encode()
    for text in (
        *("", " ", "\t", "0", "-1", "3,5", "1e309", "nan", "inf", "-0", "1_0", "٣", "½", "9" * 5000, "2147483648"),
        *("9223372036854775808", "2026-02-30", "0000-00-00", "a\x00b", "\x7f\x1b[31m", "\ufeff", "\u200b", "\u202eab"),
        *(
            "👨‍👩‍👧‍👦",
            "e" + "\u0301" * 200,
            "ﷺ" * 50,
            "ä" * 2000,
            "x" * 60_000,
            "a@b.fi\r\nBcc: x@y",
            "{{7*7}}",
            "%(x)s",
        ),
        *("{0.__class__}", "=1+1", "__dont_know", "__class__", "None", "true", "[]", '{"a": 1}', SECRET),
        *PAYLOADS[:25],
    )
) + (b"\xff\xfe", b"\xed\xa0\x80", b"\xc3", b"\xf0\x9f\x98", bytes(range(256)))


@dataclass(frozen=True)
class Attack:
    """One request, as it is made in both worlds. *typed* are fields beside those of a robot (*filled*) and the form."""

    number: int
    who: str
    rule: str
    method: str
    parts: Mapping[str, str]
    typed: tuple[tuple[bytes, bytes], ...]
    filled: bool
    ticket: str
    kind: str
    headers: tuple[tuple[str, str], ...]
    query: str


def attacks(rules: Sequence[Rule], instrument: Instrument, count: int) -> Iterator[Attack]:
    """Yield requests by chance: the routes take turns, with a form's routes as often as all the others together."""
    posts = [rule for rule in rules if "POST" in (rule.methods or ())]
    posts += 5 * [rule for rule in posts if {"study", "page"} <= rule.arguments]  # most fields are there
    places = screens(instrument)
    for number in range(count):
        chance = Random(f"{SEED}/{number}")
        rule = rules[number // 2 % len(rules)] if number % 2 else posts[number // 2 % len(posts)]
        turn = number // 2 // len(rules)
        method = METHODS[turn % len(METHODS)] if number % 2 else "POST"
        parts = {name: chance.choice(PARTS[name]) for name in rule.arguments}
        if "page" in parts and chance.random() < 0.9:
            screen = chance.choice([one for one in places if bool(one.stage) == ("stage" in parts)])
            parts |= {"page": screen.page, "stage": screen.stage} if "stage" in parts else {"page": screen.page}
        if chance.random() < 0.05 and parts:
            parts[chance.choice(sorted(parts))] = chance.choice(ODD)
        names = [*fields_of(rule, parts, instrument), *OWN]
        # Each field of a form has its turn, and others come along.
        chosen = [names[number // 2 // len(posts) % len(names)], *chance.sample(names, chance.randrange(3))]
        typed = [(_name(name, chance), _value(name, chance)) for name in chosen]
        if typed and chance.random() < 0.15:
            typed.append((typed[0][0], _value("", chance)))
        attack = Attack(
            number,
            _who(rule, chance),
            rule.rule,
            method,
            parts,
            tuple(typed),
            filled=chance.random() < 0.7,
            ticket=chance.choice(["own"] * 7 + ["none", "broken", "another's"]),
            kind=chance.choice([*["form"] * 6, *["multipart"] * 2, "json", "text", "cut", "huge", "none", "gzip"]),
            headers=tuple(chance.sample(HEADERS, chance.randrange(3))),
            query=chance.choice(["", "", "", "?edit", "?typed", "?typed=99999999999", "?done", "?x=%ff%00"]),
        )
        if "page" in parts and chance.random() < 0.4:
            # A page as a robot fills it in, to be saved: so that the attacks meet answers that can be lost.
            attack = replace(attack, typed=(), filled=True, ticket="own", kind="form", headers=(), query="")
        yield attack


def _who(rule: Rule, chance: Random) -> str:
    if "page" in rule.arguments:
        return chance.choice([*WHO, *["begun"] * 6, *["at the review"] * 3])  # they have most pages open
    return chance.choice([*WHO, *["logged in"] * 12] if "/my-account/" in rule.rule else WHO)


HEADERS = (
    ("X-Kysely", "1"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Origin", "null"),
    ("Accept-Language", "sv;q=nan, *;q=9, \udcff"),
    ("X-Forwarded-Host", "evil.example"),
    ("Cookie2", "x"),
    ("User-Agent", "x\x1b[31m" + "y" * 5000),
    ("If-None-Match", "*"),
    ("Range", "bytes=9-1"),
    ("Accept-Encoding", "gzip;q=x, br"),
)


def screens(instrument: Instrument) -> list[Screen]:
    """Return every screen that there may be."""
    return [
        Screen(page.id, stage)
        for page in instrument.pages
        for stage in dict.fromkeys(stage for question in page.questions for stage in question.all_stages)
    ]


def fields_of(rule: Rule, parts: Mapping[str, str], instrument: Instrument) -> list[str]:
    """Return the fields that the form at *rule* reads."""
    names = list(FORMS.get(rule.rule, ()))
    for page in instrument.pages:
        if page.id == parts.get("page"):
            for question in page.questions:
                if parts.get("stage", "") in question.all_stages:
                    names += question.fields(parts.get("stage", ""))
    return names


def _name(name: str, chance: Random) -> bytes:
    return chance.choice(TORTURE)[:300] if chance.random() < 0.04 else name.encode()


def _value(name: str, chance: Random) -> bytes:
    if name in ("code", "leave", "List-Unsubscribe", "sure") and chance.random() < 0.7:
        code = chance.choice([b"{code}", b"{link}"])
        return {"code": code, "List-Unsubscribe": b"One-Click"}.get(name, b"1")
    if name in ("name", "current", "password", "again") and chance.random() < 0.5:
        return {"name": b"{name}", "current": PASSWORD.encode()}.get(name, b"nelja sinista purjetta")
    if name == "go" and chance.random() < 0.7:
        return chance.choice([b"back", b"later", b"keep", b"begin", b"confirm", b"renew", b"stop"])
    return chance.choice(TORTURE) if chance.random() < 0.8 else chance.randbytes(chance.randrange(60))


@dataclass
class World:
    """The application over one kind of database, and people in it who have come to different places."""

    name: str
    settings: Settings
    store: stores.Store
    instrument: Instrument
    folder: Path
    app: Flask = field(init=False)
    words: dict[str, str] = field(default_factory=dict)
    people: dict[str, Visitor] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    passports: dict[str, str] = field(default_factory=dict)
    accounts: int = 0

    def __post_init__(self) -> None:
        id = self.store.open_wave(self.instrument, name="spring", origin=REAL, access="both", now=NOW)
        wave = next(wave for wave in self.store.waves() if wave.id == id)
        self.folder.mkdir()
        self.invited = list(invite(self.store, wave, self.folder, *(f"p{n}@example.fi,,fi" for n in range(400))))
        self.words["stop"] = self.store.invitations.keys.opt_out(self.invited[0].id)
        self.words["link"] = code_of(self.store, self.invited[1])
        self.words |= {"unknown": links.new_code(), "code": links.new_code(), "name": "nobody"}
        self.restart()

    def restart(self) -> None:
        self.app = create_app(self.settings, self.store, now=lambda: NOW, new_seed=lambda: 7, preview=True)
        self.people.clear()
        stylesheet = re.search(r"/assets/(\w+)/", self.app.test_client().get("/fi/").text)
        assert stylesheet is not None
        self.words["digest"] = stylesheet[1]

    def person(self, who: str) -> Visitor:
        """Return the visitor who has come as far as *who* says; another where the last one has gone on or is erased."""
        if who == "stranger":
            return Visitor(self.app)
        if who == "logged in":
            return self._logged_in()
        visitor, state = self.people.get(who), self.state(who)
        if visitor is None or state is None or state.submitted != (who == "sent"):
            visitor = self.people[who] = self._come(who)
            self.passports[who] = visitor.client.get_cookie(COOKIE).value
            if who == "sent":
                self.store.issue_code(self.ids[who])
        # A request may have begun something else in the same browser.
        visitor.client.set_cookie(COOKIE, self.passports[who])
        if who in ("begun", "at the review"):
            visitor.see("check-answers")  # leads to the first page that isn't answered
            gone_on = who == "begun" and self._number(visitor.place) > self._number(UNTIL[who])
            # Where the attacks have left two versions of a page, a robot that answers it anew doesn't choose.
            if gone_on or not self._answer(visitor, who, UNTIL[who]):
                del self.people[who]
                return self.person(who)
        self.words["code"] = self.store.issued_code(self.ids[who]) or links.new_code()
        return visitor

    def _logged_in(self) -> Visitor:
        visitor = self.people.get("logged in")
        if visitor is None or visitor.client.get("/fi/my-account").status_code != 200:
            visitor = self.people["logged in"] = Visitor(self.app)
            self.accounts += 1
            self.words["name"] = f"tutkija{self.accounts}"
            make_account(self.store, self.words["name"], Role.RESEARCHER)
            assert log_in(visitor.client, self.words["name"]).status_code == 303
        return visitor

    def _come(self, who: str) -> Visitor:
        visitor = Visitor(self.app)
        before = {state.id for state in self._responses()}
        if who == "invited":
            self.words["link"] = code_of(self.store, self.invited.pop())
            visitor.address = f"/fi/r/{self.words['link']}"
            visitor._arrive(visitor.client.get(visitor.address))
            visitor.send()
        else:
            visitor.start()
        (self.ids[who],) = {state.id for state in self._responses()} - before
        assert self._answer(visitor, who, UNTIL[who]), f"{visitor.place} can't be answered"
        if who == "sent":
            visitor.send()
        return visitor

    def _number(self, place: str) -> int:
        """Return where a page stands in the questionnaire; behind all pages is the review."""
        ids = [page.id for page in self.instrument.pages]
        page = place.partition("/")[0]
        return ids.index(page) if page in ids else len(ids)

    def _answer(self, visitor: Visitor, who: str, until: str) -> bool:
        """Answer page after page up to *until*, and return whether every page could be left."""
        here = ""
        while visitor.place not in (until, here):
            here = visitor.place
            visitor.send(("skip", "1"), **self.filled(who, here, Random(here)))
        return visitor.place == until

    def filled(self, who: str, place: str, chance: Random) -> dict[str, object]:
        """Return what a robot would answer on a screen."""
        state = self.state(who)
        page, _, stage = place.partition("/")
        if state is None or not any(one.id == page for one in self.instrument.pages):
            return {}
        asked = routing.route(self.instrument, state.answers).questions.get(Screen(page, stage), ())
        return {
            name: value
            for question in asked
            for name, value in question.fill(stage, state.answers, chance, seed=7).items()
        }

    def state(self, who: str) -> ResponseState | None:
        return self.store.response(self.ids[who]) if who in self.ids else None

    def _responses(self) -> Iterator[ResponseState]:
        return (state for wave in self.store.waves() for state in self.store.responses(wave.id))

    def send(self, attack: Attack) -> TestResponse:
        visitor = self.person(attack.who)
        address = self.address(attack)
        fields: list[tuple[bytes, bytes]] = []
        if attack.method == "POST":
            if attack.filled and "page" in attack.parts:
                place = "/".join(filter(None, (attack.parts["page"], attack.parts.get("stage", ""))))
                for name, value in self.filled(attack.who, place, Random(attack.number)).items():
                    fields += [(name.encode(), each.encode()) for each in _several(value)]
            replaced = {name for name, _ in attack.typed}
            fields = [(name, value) for name, value in fields if name not in replaced]
            fields += [(name, self._put(value.decode("latin-1")).encode("latin-1")) for name, value in attack.typed]
            fields += self._hidden(visitor, attack, address)
        body, kind = _body(fields, attack.kind)
        return visitor.client.open(
            address + attack.query,
            method=attack.method,
            data=body if attack.method in ("POST", "PUT", "PATCH") else None,
            content_type=kind,
            headers=[*attack.headers, *([("Content-Encoding", "gzip")] if attack.kind == "gzip" else [])],
            environ_overrides={"REMOTE_ADDR": f"10.0.{attack.number // 250 % 250}.{attack.number % 250}"},
        )

    def _hidden(self, visitor: Visitor, attack: Attack, address: str) -> list[tuple[bytes, bytes]]:
        if attack.ticket == "none":
            return []
        if attack.ticket == "broken":
            return [(b"ticket", b"x.y.z"), (b"end", b"1")]
        asking = Visitor(self.app) if attack.ticket == "another's" else visitor
        page = asking.client.get(address)
        hidden = form(page).hidden if page.mimetype == "text/html" and "<form" in page.text else []
        return [(name.encode(), value.encode()) for name, value in hidden if name != "code"]

    def address(self, attack: Attack) -> str:
        parts = {name: quote(self._put(value)) for name, value in attack.parts.items()}
        return re.sub(r"<(?:[^:<>]+(?:\([^)]*\))?:)?(\w+)>", lambda match: parts[match[1]], attack.rule)

    def _put(self, text: str) -> str:
        for word, meaning in self.words.items():
            text = text.replace(f"{{{word}}}", meaning)
        return text


def _several(value: object) -> list[str]:
    return [value] if isinstance(value, str) else [str(each) for each in value]  # type: ignore[attr-defined]


def _body(fields: Sequence[tuple[bytes, bytes]], kind: str) -> tuple[bytes | None, str | None]:
    plain = b"&".join(
        quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value).encode() for name, value in fields
    )
    if kind == "multipart":
        parts = [
            b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (quote_from_bytes(name).encode(), value)
            for name, value in fields
        ]
        return b"".join(parts) + b"--x--\r\n", "multipart/form-data; boundary=x"
    if kind == "json":
        return b"[" * 1000, "application/json"
    if kind == "text":
        return plain, "text/plain; charset=utf-16"
    if kind == "cut":
        return plain[: len(plain) * 2 // 3], "application/x-www-form-urlencoded"
    if kind == "huge":
        return plain + b"&x=" + b"y" * MAXIMUM_REQUEST, "application/x-www-form-urlencoded"
    if kind == "none":
        return None, None
    return plain, "application/x-www-form-urlencoded"


def rules_of(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ())))


@pytest.fixture
def worlds(request, tmp_path) -> Iterator[tuple[World, World]]:
    with ExitStack() as opened:
        made = []
        for kind in ("sqlite", "postgresql"):
            settings: Settings = request.getfixturevalue(f"{kind}_settings")
            settings = replace(settings, build=tmp_path / "build" / kind)
            instrument = loading.load(settings.questionnaires / STUDY, "full")
            store = stores.open(settings)
            opened.callback(store.close)
            made.append(World(kind, settings, store, instrument, tmp_path / kind))
        yield made[0], made[1]


def test_every_route_and_every_form_is_attacked(worlds):
    """A new route must be named above, with its fields, or the requests below would pass it by."""
    world, _ = worlds
    rules = rules_of(world.app)
    assert {name for rule in rules for name in rule.arguments} == set(PARTS)
    assert {rule.rule for rule in rules if "POST" in rule.methods} == set(FORMS)
    made = list(attacks(rules, world.instrument, 20_000))
    assert {(attack.rule, attack.method) for attack in made} >= {
        (rule.rule, name) for rule in rules for name in METHODS
    }
    wanted = {name for names in FORMS.values() for name in names}
    for question in world.instrument.questions:
        wanted |= {name for stage in question.all_stages for name in question.fields(stage)}
    typed = {name for attack in made if attack.method == "POST" for name, _ in attack.typed}
    assert {name.encode() for name in wanted} - typed == set()


def test_no_request_makes_the_application_fail_and_both_databases_answer_alike(worlds, caplog):
    caplog.set_level(logging.DEBUG)
    one, other = worlds
    statuses: set[int] = set()
    saved = 0
    for attack in attacks(rules_of(one.app), one.instrument, REQUESTS):
        if attack.number and attack.number % RESTART == 0:
            one.restart()
            other.restart()
        answers = []
        for world in worlds:
            world.person(attack.who)  # comes where it is to be before anything is looked at
            before = world.state(attack.who)
            answer = world.send(attack)
            after = world.state(attack.who)
            assert answer.status_code < 500, attack
            assert "<script" not in OWN_SCRIPT.sub("", answer.text if answer.mimetype == "text/html" else ""), attack
            assert answer.headers["X-Content-Type-Options"] == "nosniff", attack
            assert not any(cookie.startswith("a=") for cookie in answer.headers.getlist("Set-Cookie")), attack
            onward = answer.status_code == 303 or "X-Kysely-Location" in answer.headers
            if not onward and before is not None and after is not None:
                assert after.answers == before.answers, attack
            saved += before is not None and after is not None and after.revision > before.revision
            answers.append((answer.status_code, *_seen(answer)))
        assert answers[0] == answers[1], attack
        statuses.add(answers[0][0])
    assert statuses >= {200, 303, 403, 404, 405, 409, 413, 415, 422}
    assert saved > REQUESTS // 100  # or nothing that was sent came as far as the databases
    assert SECRET not in caplog.text


def _seen(answer: TestResponse) -> tuple[str, object]:
    """Return where an answer leads, and what its page is made of: its words hold tickets and codes by chance."""
    return answer.headers.get("Location", ""), elements_of(answer.text) if answer.mimetype == "text/html" else ""
