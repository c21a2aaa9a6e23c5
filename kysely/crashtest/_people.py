"""Robots that answer over real HTTP and do what the page tells people: press the button again until it is saved.

A form that was sent is sent again as it was, with its key, when the connection breaks or the page says that nothing can
be saved just now. A redirect to the next page is the only acknowledgement. Every few forms are sent twice at once.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection, HTTPException, HTTPResponse
from random import Random
from urllib.parse import urlencode

START, WHO, WAYS, WORDS, SUBMIT = "start", "who", "ways", "words", "check-answers"
STEPS = (START, WHO, WAYS, WORDS, SUBMIT)
STUDY = "/en/crash/"

PATIENCE = 180.0
"""Seconds for which a form is sent again and again before it counts as one that nobody takes."""

_PAUSE = 0.1
_TIMEOUT = 60.0
_ROWS = "ABCDEF"
_LEVELS = ("NOT", "SOME", "CLEAR", "CENTRAL")


class Unserved(Exception):
    """A robot can't go on, which is a fault of the server."""


@dataclass(frozen=True)
class Person:
    """What robot *number* of a run types, page by page: *typed* goes into the fields, *stored* is what it means."""

    number: int
    seed: int

    @property
    def organisation(self) -> str:
        return f"Organisation {self.number} of the crash test Oy"

    @property
    def typed(self) -> dict[str, dict[str, str]]:
        chance = Random(f"{self.seed}/{self.number}")
        levels = {f"view_{row}": chance.choice(_LEVELS) for row in _ROWS}
        return {
            WHO: {
                "organisation_name": self.organisation,
                "organisation_municipality": "Jyväskylä",
                "role": chance.choice(("TOP", "MID", "EXP")),
            },
            WAYS: {**levels, "remark": f"Remark {self.number}: <työ> & ”yhdessä”, 5 % 'n' + \\"},
            WORDS: {"people": str(chance.randrange(1, 9999)), "words": f"Words {self.number}: {'åäö – 🙂 ' * 20}end"},
        }

    @property
    def stored(self) -> dict[str, dict[str, object]]:
        """Return the answers of each page as the dataset knows them."""
        typed = self.typed
        levels = {name: _LEVELS.index(code) for name, code in typed[WAYS].items() if name != "remark"}
        return {
            WHO: {"organisation_given": 1, "role": typed[WHO]["role"]},
            WAYS: {**levels, "remark": typed[WAYS]["remark"]},
            WORDS: {"people": int(typed[WORDS]["people"]), "words": typed[WORDS]["words"]},
        }


@dataclass
class Tally:
    """What the robots met. *acknowledged* are the steps of each robot that the server confirmed.

    *hopeless* tells them that no server will come back, so that they don't wait for one.
    """

    acknowledged: dict[int, list[str]] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    under_way: int = 0
    hopeless: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def forms(self) -> int:
        with self.lock:
            return sum(map(len, self.acknowledged.values()))

    def meet(self, what: str) -> None:
        with self.lock:
            self.met[what] += 1

    def fault(self, what: str) -> None:
        with self.lock:
            self.faults.append(what)

    @contextmanager
    def sending(self) -> Iterator[None]:
        with self.lock:
            self.under_way += 1
        try:
            yield
        finally:
            with self.lock:
                self.under_way -= 1


@dataclass
class People:
    """So many robots at once, one interview after another until they are told that it is enough."""

    port: int
    tally: Tally
    seed: int
    enough: threading.Event = field(default_factory=threading.Event)
    _next: int = 0

    def begin(self, respondents: int) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._answer, name=f"robot {one}") for one in range(respondents)]
        for thread in threads:
            thread.start()
        return threads

    def _answer(self) -> None:
        while not self.enough.is_set():
            with self.tally.lock:
                self._next += 1
                person = Person(self._next, self.seed)
                self.tally.acknowledged[person.number] = []
            try:
                _Interview(person, self.port, self.tally).run()
            except Unserved as fault:
                self.tally.fault(f"robot {person.number}: {fault}")
                self.enough.set()


class _Interview:
    """One robot from the introduction to the thanks."""

    def __init__(self, person: Person, port: int, tally: Tally):
        self.person = person
        self.port = port
        self.tally = tally
        self.cookies: dict[str, str] = {}
        self.chance = Random(f"twice/{person.seed}/{person.number}")

    def run(self) -> None:
        typed = self.person.typed
        addresses = [STUDY, *(STUDY + step for step in STEPS[1:]), f"{STUDY}thank-you"]
        with _Line(self.port, self) as line:
            page = line.get(STUDY)
            for step, here, following in zip(STEPS, addresses, addresses[1:], strict=False):
                form = form_of(page, here)
                given = typed.get(step, {})
                if missing := set(given) - form.names:
                    raise Unserved(f"{here} does not ask {', '.join(sorted(missing))}")
                fields = {**form.hidden, **given}
                self._post(line, here, fields, given, following)
                with self.tally.lock:
                    self.tally.acknowledged[self.person.number].append(step)
                page = line.get(following)

    def _post(
        self, line: _Line, here: str, fields: Mapping[str, str], given: Mapping[str, str], following: str
    ) -> None:
        """Send the form until it is acknowledged; one in five is sent on two connections at the same time."""
        if self.chance.random() >= 0.2:
            line.post(here, fields, given, following)
            return
        self.tally.meet("sent twice at once")
        faults: list[Unserved] = []

        def again() -> None:
            try:
                with _Line(self.port, self) as other:
                    other.post(here, fields, given, following)
            except Unserved as fault:
                faults.append(fault)

        twin = threading.Thread(target=again)
        twin.start()
        try:
            line.post(here, fields, given, following)
        finally:
            twin.join()
        if faults:
            raise faults[0]


class _Line:
    """One connection at a time, made again when it breaks."""

    def __init__(self, port: int, interview: _Interview):
        self.port = port
        self.interview = interview
        self.tally = interview.tally
        self.connection: HTTPConnection | None = None

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def get(self, address: str) -> str:
        """Return the page at *address*, however often it has to be asked for."""
        status, location, page = self._answered("GET", address, "", {})
        if status != 200:
            raise Unserved(f"GET {address} was answered with {status} {location}".rstrip())
        return page

    def post(self, address: str, fields: Mapping[str, str], given: Mapping[str, str], following: str) -> None:
        """Send the same form until it is acknowledged by a redirect to *following*."""
        status, location, _ = self._answered("POST", address, urlencode(fields), given)
        if (status, location) != (303, following):
            raise Unserved(f"POST {address} was answered with {status} {location}".rstrip())

    def _answered(self, method: str, address: str, body: str, given: Mapping[str, str]) -> tuple[int, str, str]:
        deadline = time.monotonic() + PATIENCE
        tries = 0
        while time.monotonic() < deadline and not self.tally.hopeless:
            tries += 1
            if tries == 2:
                self.tally.meet(f"{method} that was sent again")
            try:
                status, location, page = self._exchange(method, address, body)
            except (OSError, HTTPException) as error:
                # Refused: there is no server yet. Anything else was cut off under way.
                refused = isinstance(error, ConnectionRefusedError)
                self.tally.meet("connections refused" if refused else "connections cut off")
                self._hang_up()
                time.sleep(_PAUSE)
                continue
            if status < 500:
                return status, location, page
            if status != 503:
                self.tally.fault(f"{method} {address} was answered with {status}")
            elif given and (gone := given.items() - kept_on(page, address)):
                names = ", ".join(sorted(name for name, _ in gone))
                self.tally.fault(f"{method} {address} was answered with 503 and without what was typed into {names}")
            else:
                self.tally.meet("503 with what was typed" if given else "503 where nothing was typed")
            time.sleep(_PAUSE)
        raise Unserved(f"{method} {address} was not served for {PATIENCE:g} seconds")

    def _exchange(self, method: str, address: str, body: str) -> tuple[int, str, str]:
        if self.connection is None:
            self.connection = HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT)
        headers = {"Accept": "text/html", "Origin": f"http://127.0.0.1:{self.port}"}
        cookies = self.interview.cookies
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in list(cookies.items()))
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with self.tally.sending():
            self.connection.request(method, address, body.encode() if body else None, headers)
            answer = self.connection.getresponse()
            page = answer.read().decode()
        self._take_cookies(answer)
        return answer.status, answer.getheader("Location", ""), page

    def _take_cookies(self, answer: HTTPResponse) -> None:
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.interview.cookies[name] = value

    def _hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


@dataclass
class Form:
    """A form of a page as a browser sees it: where it goes, what it would send now, and every field it has."""

    action: str
    hidden: dict[str, str] = field(default_factory=dict)
    filled: set[tuple[str, str]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


def form_of(page: str, here: str) -> Form:
    """Return the form of *page* that is posted to *here* and has a ticket; the one with most fields, if several."""
    parser = _Forms()
    parser.feed(page)
    forms = [form for form in parser.forms if (form.action or here).partition("?")[0] == here]
    forms = [form for form in forms if "ticket" in form.hidden]
    if not forms:
        raise Unserved(f"{here} shows no form")
    return max(forms, key=lambda form: len(form.names))


def kept_on(page: str, here: str) -> set[tuple[str, str]]:
    """Return what the form of *page* would send as it was delivered; nothing where there is no form."""
    try:
        form = form_of(page, here)
    except Unserved:
        return set()
    return form.filled | set(form.hidden.items())


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "form" and values.get("method") == "post":
            self._form = Form(values.get("action", ""))
            self.forms.append(self._form)
        name = values.get("name")
        if self._form is None or name is None:
            return
        if tag == "textarea":
            self._area, self._text = name, ""
        elif tag == "input":
            self._input(self._form, name, values)

    def _input(self, form: Form, name: str, values: Mapping[str, str]) -> None:
        kind = values.get("type", "text")
        if kind == "hidden":
            form.hidden[name] = values.get("value", "")
            return
        form.names.add(name)
        if kind not in ("radio", "checkbox") or "checked" in values:
            form.filled.add((name, values.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "textarea" and self._form is not None and self._area is not None:
            self._form.names.add(self._area)
            # The first line break after the tag is not part of the text.
            self._form.filled.add((self._area, self._text.removeprefix("\n")))
            self._area = None
