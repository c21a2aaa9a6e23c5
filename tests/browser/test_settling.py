"""The full form in Chromium without JavaScript: once the words are explained, what was answered before stands."""

from __future__ import annotations

from playwright.sync_api import expect

from kysely.web.wording import wordings
from tests.browser._steps import onward

SEED = 3


def test_nobody_changes_what_was_answered_before_the_words_were_explained(full_site, open_browser):
    language, site = "sv", full_site
    say = wordings()[language]
    page, tab = (context := open_browser()).new_page(), context.new_page()
    site.start(page, language)
    for here in site.screens(page, SEED):
        told = page.get_by_text(say["settles_next"]).count()
        assert bool(told) is (here in ("shared", "meaning")), here
        if here == "shared":
            tab.goto(site.address("modes/choose", language))
            expect(tab.locator("main form")).to_have_count(1)
        if here == "meaning":
            break
    stored = site.under_way()

    # The other tab still shows an earlier page: what is typed there is refused and shown.
    other = next(box for box in tab.locator("[name=OM_B01]").all() if not box.is_checked())
    chosen = other.get_attribute("value")
    other.check()
    onward(tab)
    expect(tab.get_by_role("heading", name=say["settled_title"])).to_be_visible()
    expect(tab.locator(f"[name=OM_B01][value={chosen}]")).to_be_checked()
    expect(tab.locator("main form")).to_have_count(0)

    # Going back shows what was answered, and leads on.
    page.go_back()
    expect(page.get_by_text(say["settled_text"])).to_be_visible()
    page.get_by_role("link", name=say["go_on"]).click()
    page.wait_for_url("**/meaning")
    assert site.under_way() == stored

    for _ in site.screens(page, SEED):
        pass
    expect(page.get_by_text(say["review_text_some"])).to_be_visible()
    onward(page)
    page.get_by_role("link", name=say["change_sent"]).click()
    onward(page)
    page.wait_for_url("**/check-answers")
    expect(page.get_by_text(say["settled_review"])).to_be_visible()
    assert page.locator("main a[href*='?edit']").count() == 2  # the descriptions, and what is asked last
    page.goto(site.address("meaning?edit", language))
    expect(page.get_by_text(say["settled_text"])).to_be_visible()
