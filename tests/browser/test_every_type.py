"""Rows that look like a table: what is heard of them, how the keyboard moves, and where their columns stand."""

from __future__ import annotations

COLUMNS = ("p_grid", "p_semantic_differential", "p_now_and_target")
"""Pages whose rows look like a table where there is room for it."""

ROWS = """() => [...document.querySelectorAll('main input[type=radio]')].map(button => {
  const group = button.closest('[role=radiogroup]');
  return {
    group: group ? group.getAttribute('aria-labelledby').split(' ').map(
      id => document.getElementById(id).textContent.trim()).join(' ') : '',
    legend: (button.closest('fieldset') || document.body).querySelector('legend').textContent.trim(),
    label: button.labels[0].textContent.trim(), name: button.name,
  };
})"""


def test_every_button_of_a_row_is_named_by_its_level_and_grouped_by_its_row(every_type_site, open_browser):
    """What a screen reader says of a cell: the row and the column, though no table is there."""
    page = open_browser(java_script_enabled=True, viewport={"width": 1280, "height": 900}).new_page()
    every_type_site.start(page)
    looked = 0
    for here in every_type_site.screens(page, 1):
        if here not in COLUMNS:
            continue
        buttons = page.evaluate(ROWS)
        assert buttons and all(button["label"] and (button["group"] or button["legend"]) for button in buttons)
        for name in {button["name"] for button in buttons}:
            row = [button for button in buttons if button["name"] == name]
            assert len({button["group"] or button["legend"] for button in row}) == 1
            assert len({button["label"] for button in row}) == len(row) > 1
        if here == "p_grid":
            named = {(button["name"], button["group"] or button["legend"], button["label"]) for button in buttons}
            assert ("view_NOW", "Näemme nykytilan samoin.", "selvästi") in named
            looked = len(buttons)
    assert looked


def test_the_arrows_of_the_keyboard_stay_in_their_row(every_type_site, open_browser):
    page = open_browser(java_script_enabled=True, viewport={"width": 1280, "height": 900}).new_page()
    every_type_site.start(page)
    for here in every_type_site.screens(page, 1):
        if here == "p_grid":
            break
    page.locator("[name=view_NOW]").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("[document.activeElement.name, document.activeElement.value]") == ["view_NOW", "CLEAR"]


def test_on_a_wide_screen_the_columns_of_a_grid_stand_under_their_heads(every_type_site, open_browser):
    page = open_browser(viewport={"width": 1280, "height": 900}).new_page()
    every_type_site.start(page)
    for place in every_type_site.screens(page, 1):
        if place not in COLUMNS:
            continue
        heads = [_middle(head) for head in page.locator(".heads > span").all()]
        for row in page.locator("fieldset.row").all():
            buttons = [_middle(button) for button in row.locator("input").all()]
            assert len(buttons) == len(heads)
            assert all(abs(button - head) < 12 for button, head in zip(buttons, heads, strict=True)), (
                place,
                heads,
                buttons,
            )


def _middle(element) -> float:
    box = element.bounding_box()
    return box["x"] + box["width"] / 2
