"""Every type of question and the full form for everybody.

Without a script, by the keyboard alone, with wide text at 400 %, in the system's own colours, without motion.
"""

from __future__ import annotations

from tests.browser._site import fill_by_keyboard

SPACING = "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
"""The wide text of WCAG 2.2, 1.4.12."""


def test_the_whole_questionnaire_without_javascript_and_by_the_keyboard_alone_stores_the_same_answers(
    site, open_browser
):
    """In three languages, on the narrowest phone: 320 pixels, which is a screen of 1280 at 400 %. Once without CSS."""
    wide = []
    for language, script, style in (("fi", True, True), ("fi", False, True), ("sv", False, False), ("en", False, True)):
        context = open_browser(java_script_enabled=script, locale=language, viewport={"width": 320, "height": 640})
        page = context.new_page()
        if not style:
            page.route("**/*.css", lambda route: route.abort())
        page.goto(site.address(language=language))
        fill_by_keyboard(page, {})
        for here in (*site.screens(page, 42, keys=script), "check-answers"):  # whoever has a script here has no mouse
            if style and page.evaluate("document.documentElement.scrollWidth") > 320:
                wide.append((language, here))
            assert page.locator(f"footer a[href='/{language}/accessibility']").is_visible()
        fill_by_keyboard(page, {})
        assert site.place(page) == "thank-you"
    first, *others = site.sent()
    assert len(others) == 3 and len(first) > 30
    assert all(answers == first for answers in others)
    assert wide == []


def test_wide_text_at_400_per_cent_never_scrolls_sideways(site, open_browser):
    """1280 pixels at 400 % are 320."""
    context = open_browser(java_script_enabled=True, bypass_csp=True, viewport={"width": 320, "height": 256})
    page, wide = context.new_page(), []
    site.start(page)
    for here in site.screens(page, 7):
        with page.expect_navigation():
            page.locator("main form button").first.click()  # with the errors of an empty page
        page.add_style_tag(content=SPACING)
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(here)
    assert wide == []


STOP = """() => {
  const element = document.activeElement, box = element.getBoundingClientRect(), option = element.closest('.option');
  const outlined = [element, ...(option ? [option] : [])].map(each => getComputedStyle(each)).some(
    style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0);
  return {
    name: element.name || element.textContent.trim(), inside: !!element.closest('main form'),
    over: element === document.body, outlined, top: box.top + window.scrollY,
    unseen: box.bottom < 0 || box.top > window.innerHeight,
  };
}"""


def test_the_tab_key_reaches_every_field_in_the_order_seen_with_the_focus_shown(site, open_browser):
    page, faults = open_browser(java_script_enabled=True).new_page(), []
    site.start(page)
    for here in site.screens(page, 3):
        fields = page.locator("main form :is(input, select, textarea, button):visible").all()
        wanted = {field.get_attribute("name") or field.inner_text().strip() for field in fields}
        reached, last = set(), -1.0
        for _ in range(200):
            page.keyboard.press("Tab")
            stop = page.evaluate(STOP)
            if stop["over"]:
                break
            reached.add(stop["name"])
            if not stop["outlined"]:
                faults.append(f"{here}: no focus is to be seen on {stop['name']}")
            if stop["unseen"]:
                faults.append(f"{here}: {stop['name']} has the focus out of sight")
            if stop["inside"]:
                if stop["top"] < last - 60:  # beside one another is no way back
                    faults.append(f"{here}: {stop['name']} comes after what stands below it")
                last = stop["top"]
        faults += [f"{here}: {name} can't be reached" for name in sorted(wanted - reached)]
    assert faults == []


MOVING = """() => [...document.querySelectorAll('*')].filter(each => {
  const style = getComputedStyle(each);
  return style.animationName !== 'none' || style.transitionDuration.split(', ').some(time => parseFloat(time) > 0);
}).length"""


def test_in_forced_colours_choices_and_the_focus_are_seen_and_nothing_moves_where_motion_is_unwanted(
    site, open_browser
):
    context = open_browser(
        java_script_enabled=True, forced_colors="active", color_scheme="dark", reduced_motion="reduce"
    )
    page, seen, unseen = context.new_page(), 0, []
    site.start(page)
    for here in site.screens(page, 5):
        assert page.evaluate(MOVING) == 0
        boxes = page.locator("main input:is([type=radio], [type=checkbox]):visible")
        if boxes.count():
            option = boxes.first.locator("xpath=..")
            looks = [option.screenshot()]
            boxes.first.check()
            looks.append(option.screenshot())
            page.keyboard.press("Tab")
            page.keyboard.press("Shift+Tab")
            looks.append(option.screenshot())
            seen += 1
            if len(set(looks)) < 3:  # bare, chosen, chosen with the focus on it
                unseen.append(here)
            page.reload()
    assert seen > 5 and unseen == []


def test_where_motion_is_welcome_there_is_some(full_site, open_browser):
    """Or the test above would find nothing that moves because nothing ever does."""
    page = open_browser(java_script_enabled=True, reduced_motion="no-preference").new_page()
    full_site.start(page)
    assert page.evaluate(MOVING) > 0
