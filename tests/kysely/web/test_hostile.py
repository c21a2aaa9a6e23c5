"""Whatever is sent, the application answers with a page, and what was typed is text."""

from __future__ import annotations

import pytest

from tests.kysely.web._visitor import ANSWERS, OWN_SCRIPT, STUDY, Visitor, form
from tests.kysely.web.test_interview import response_of

# One of each kind of trick; a payload is one of these around a marker, so 200 differ.
TRICKS = (
    "<script>{}</script>",
    "<ScRiPt src=//x/{}>",
    "<img src=x onerror={}>",
    '"><svg onload={}>',
    "' autofocus onfocus={} x='",
    "</textarea><script>{}</script>",
    "</title><script>{}</script>",
    "</select><img src=x onerror={}>",
    "<!--{}",
    "]]>{}<![CDATA[",
    "javascript:{}",
    "{{{{7*7}}}}{}",
    "{{% include '{}' %}}",
    "${{7*7}}{}",
    "%(x)s{}%n",
    "{{0.__class__}}{}",
    "&lt;b&gt;{}&#60;",
    "<a href='data:text/html,{}'>",
    "\u202e{}\u2066",
    "<style>@import '{}'</style>",
    "<base href=//{}>",
    "<meta http-equiv=refresh content='0;url={}'>",
    "<iframe srcdoc='{}'>",
    "{}\r\nSet-Cookie: a=b",
    '=HYPERLINK("{}")',
)
PAYLOADS = [trick.format(f"alert({number})") for number in range(8) for trick in TRICKS]


def test_two_hundred_payloads_are_shown_as_text_on_every_page_that_shows_them(site):
    assert len(set(PAYLOADS)) == 200
    visitor = Visitor(site)
    visitor.start()
    for payload in PAYLOADS:
        typed = {**ANSWERS["organisation"], "organisation_name": payload, "organisation_business_id": "x"}
        again = visitor.send(**typed)
        assert again.status_code == 422
        shown = form(again)
        assert (
            shown.typed["organisation_name"] == [payload.replace("\r\n", "\n")]
            or "\u202e" in payload
            or "\n" in payload
        )
        assert elements_of(again.text) == elements_of(visitor.send(**{**typed, "organisation_name": "plain"}).text)


def test_a_payload_that_was_saved_is_text_in_the_review_and_in_the_conflict(site):
    payload = "</dd></title><script>alert(1)</script><b onmouseover='x'>"
    visitor = Visitor(site)
    visitor.start()
    other = Visitor(site)
    cookie = f"kysely_{STUDY}"
    other.client.set_cookie(cookie, visitor.client.get_cookie(cookie).value)
    other.see("organisation")
    visitor.send(**{**ANSWERS["organisation"], "organisation_name": payload})
    conflict = other.send(**ANSWERS["organisation"])
    assert conflict.status_code == 409
    visitor.answer()
    for page in (conflict, visitor.page):
        assert (
            "&lt;script&gt;" in page.text and "<script" not in OWN_SCRIPT.sub("", page.text) and "<b " not in page.text
        )


def elements_of(html: str) -> list[str]:
    """Return the elements of a page with their attributes' names: data must never add one."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        found: list[str] = []

        def handle_starttag(self, tag, attrs):
            self.found.append(f"{tag} {' '.join(name for name, _ in attrs)}")

    reader = Reader()
    reader.found = []
    reader.feed(html)
    return reader.found


@pytest.mark.parametrize(
    "body",
    [
        b"organisation_name=%ff%fe&BG10=%ed%a0%80&end=1",
        b"organisation_name=%00%00&end=1",
        b"=&&&=;;%%%&end=1",
        b"\xff\xfe\x00" * 1000,
        b"BG10=" + b"%F0%9F%98%80" * 5000,
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_a_body_that_is_no_form_is_answered_politely(app, store, body, kind):
    visitor = Visitor(app)
    visitor.start()
    answer = visitor.client.post(visitor.address, data=body, content_type=kind)
    assert answer.status_code in (400, 403, 415)
    assert answer.mimetype == "text/html" and "Traceback" not in answer.text
    assert response_of(app, store).revision == 0


@pytest.mark.parametrize("field", ["organisation_name", "BG08", "OM_B01_OTHER_text"])
def test_nul_and_lone_surrogates_are_folded_alike_on_both_databases(app, store, field):
    visitor = Visitor(app)
    visitor.start()
    visitor.answer(until={"organisation_name": "organisation", "BG08": "perspective"}.get(field, "modes/choose"))
    answers = {**ANSWERS[visitor.place], field: "a\x00b\r\nc"}
    if field == "OM_B01_OTHER_text":
        answers["OM_B01"] = ["OTHER"]
    assert visitor.send(**answers).status_code == 200
    state = response_of(app, store)
    stored = store.organisation_typed(state.id).name if field == "organisation_name" else state.answers[field]
    assert stored.replace("\n", " ") == "ab c"


def test_a_code_that_is_not_offered_and_a_choice_made_twice_are_refused(app, store):
    visitor = Visitor(app)
    visitor.start()
    for wrong in ("NOPE", "__class__", "-1", ["COMP", "MUNI"]):
        page = visitor.send(**{**ANSWERS["organisation"], "BG10": wrong})
        assert page.status_code == 422
        assert 'href="#f-BG10"' in page.text
    assert response_of(app, store).revision == 0
