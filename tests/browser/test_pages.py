"""What a page weighs and how much it shifts: what of `benchmarks.pages` hangs on no clock."""

from __future__ import annotations

from benchmarks.pages import FIRST_PAGE, PHONE, WATCH, walk


def test_no_page_of_the_full_form_is_heavy_or_shifts_while_it_is_loaded(full_site, open_browser):
    """Goals of PERFORMANCE.md: the first page under 30 kB compressed with all assets but fonts, no layout shift."""
    phone = open_browser(java_script_enabled=True, **PHONE)
    pages = list(walk(phone, full_site.url, full_site.instrument, "fi"))
    assert [page.place for page in pages][:2] == ["introduction", "organisation"]
    assert pages[-1].place == "thank-you"
    met = {page.place.partition("/")[0] for page in pages}
    assert {page.id for page in full_site.instrument.pages} <= met
    assert [page.place for page in pages if page.bytes >= FIRST_PAGE] == []
    assert [page.place for page in pages if page.shift] == []
    assert all(page.requests <= 7 for page in pages)  # the page, stylesheet, script, icon, two fonts, one of them twice


def test_the_shift_of_a_page_that_moves_is_seen(full_site, open_browser):
    """Or the test above would find nothing because nothing is ever found."""
    moving = open_browser(java_script_enabled=True, **PHONE).new_page()
    moving.add_init_script(WATCH)
    moving.goto(full_site.address())
    moving.evaluate(
        "new Promise(done => { document.querySelector('main').style.marginTop = '20rem'; setTimeout(done, 500); })"
    )
    assert moving.evaluate("window.shifted") > 0
