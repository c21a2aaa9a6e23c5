"""Adjusted p-values and declared families."""

import numpy as np
import pytest

from analysis.multiplicity import Family, FamilyError, adjusted

METHODS = ("bonferroni", "holm", "hochberg", "hommel", "bh", "by")


def test_three_tests_by_hand():
    p = [0.04, 0.01, 0.03]
    assert adjusted(p, "none") == pytest.approx(p)
    assert adjusted(p, "bonferroni") == pytest.approx([0.12, 0.03, 0.09])
    assert adjusted(p, "holm") == pytest.approx([0.06, 0.03, 0.06])
    assert adjusted(p, "hochberg") == pytest.approx([0.04, 0.03, 0.04])
    assert adjusted(p, "bh") == pytest.approx([0.04, 0.03, 0.04])
    assert adjusted(p, "by") == pytest.approx(np.array([0.04, 0.03, 0.04]) * 11 / 6)


def test_of_any_p_values_adjustment_keeps_the_order_and_never_makes_one_smaller():
    rng = np.random.default_rng(11)
    for size in (1, 2, 3, 10, 40):
        p = np.round(rng.random(size) ** 3, 2)  # with ties and zeros
        found = {method: adjusted(p, method) for method in METHODS}
        for method in METHODS:
            assert (found[method] >= p - 1e-15).all()
            assert (found[method] <= 1).all()
            assert (np.diff(found[method][np.argsort(p)]) >= -1e-15).all()
        for less, more in (("holm", "bonferroni"), ("hochberg", "holm"), ("hommel", "hochberg"), ("bh", "hommel")):
            assert (found[less] <= found[more] + 1e-15).all()


def test_adjusted_p_values_agree_with_statsmodels():
    from statsmodels.stats.multitest import multipletests

    names = {"hochberg": "simes-hochberg", "bh": "fdr_bh", "by": "fdr_by"}
    p = np.random.default_rng(12).random(25) ** 3
    for method in METHODS:
        assert adjusted(p, method) == pytest.approx(multipletests(p, method=names.get(method, method))[1], rel=1e-12)


def test_no_tests_need_no_adjustment():
    assert len(adjusted([], "holm")) == 0


@pytest.mark.parametrize(
    ("p", "method", "says"),
    [
        ([0.1, np.nan], "holm", "number 2 of 2 is nan, which is no probability"),
        ([0.1, 1.2], "bh", "1.2"),
        ([-0.1], "bh", "-0.1"),
        ([[0.1]], "bh", "one list"),
        ([0.1], "sidak", "no adjustment is called 'sidak'"),
    ],
)
def test_what_is_no_probability_is_not_adjusted(p, method, says):
    with pytest.raises(FamilyError, match=says):
        adjusted(p, method)


def test_a_book_is_adjusted_over_all_its_declared_tests():
    book = Family("book", "holm", ("mode × size", "mode × type", "goal × size"))
    found = book.adjusted({"goal × size": 0.03, "mode × size": 0.04, "mode × type": 0.01})
    assert list(found) == ["mode × size", "mode × type", "goal × size"]
    assert list(found.values()) == pytest.approx([0.06, 0.03, 0.06])


def test_a_test_that_could_not_be_made_still_counts():
    book = Family("book", "bonferroni", ("a", "b", "c"))
    assert book.adjusted({"a": 0.01, "b": None, "c": 0.5}) == {"a": pytest.approx(0.03), "b": None, "c": 1}


@pytest.mark.parametrize(
    ("p", "says"),
    [
        ({"a": 0.1}, "b declared without a p-value"),
        ({"a": 0.1, "b": 0.2, "c": 0.3}, "c not declared"),
        ({"a": 0.1, "c": 0.3}, "b declared without a p-value and c not declared"),
    ],
)
def test_a_family_is_settled_before_its_tests(p, says):
    with pytest.raises(FamilyError, match=says):
        Family("book", "holm", ("a", "b")).adjusted(p)


@pytest.mark.parametrize(
    ("tests", "method", "says"),
    [(("a", "a"), "holm", "declares a twice"), ((), "holm", "has no tests"), (("a",), "fdr", "no adjustment")],
)
def test_a_family_that_is_none_can_t_be_declared(tests, method, says):
    with pytest.raises(FamilyError, match=says):
        Family("row", method, tests)
