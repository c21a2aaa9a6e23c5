"""Which groups of a banner may be shown where only counts are known: the careful rule for data that are elsewhere.

analysis/disclosure.py looks at every respondent and hides no more than it must. Here only the respondents and the
organisations of each group are known, and of those in no group, by how many colleagues answered. So:

1. A banner whose groups, or those in no group, are all large enough or empty is shown.
2. If one is too small, the whole banner is hidden for the question and its total stays. A hidden group could be
   worked out from the total and the others, or from a banner that groups them otherwise.
3. A share per respondent beside the share per organisation tells of the organisations with several respondents,
   since the two differ by nobody else. So the shares per organisation are hidden too where, in some group, all
   but the organisations of one size are too few.
4. What is hidden when everybody answers is hidden in every question.

What it does not see: two groups of different banners that differ by a few respondents only, by chance. Memory does.
"""

from __future__ import annotations

import numpy as np

from analysis.design import Codes, Mask
from analysis.disclosure import COMPLEMENTARY, SHOWN, SUPPRESSED, too_small
from analysis.engines import Bases
from analysis.study import ORGANISATION


def verdicts(found: Bases, estimand: str, *, least: int) -> Codes:
    """Return the verdict of disclosure on each group of a banner, (B,); *least* respondents are shown."""
    n, organisations = found.respondents.sum(axis=1), found.organisations.sum(axis=1)
    few = _few(n, organisations, least)
    hidden = few.any() or (estimand == ORGANISATION and _sizes_apart(found, least))
    told = np.where(few | (n == 0), SUPPRESSED, COMPLEMENTARY if hidden else SHOWN)
    return told[:-1]


def together(one: Codes, other: Codes) -> Codes:
    """Return the verdicts on groups that two sets of verdicts, each (B,), allow."""
    both_show = (one == SHOWN) & (other == SHOWN)
    return np.where(both_show, SHOWN, np.where((one == SUPPRESSED) | (other == SUPPRESSED), SUPPRESSED, COMPLEMENTARY))


def _few(n: Codes, organisations: Codes, least: int) -> Mask:
    return (n > 0) & too_small(n, organisations, least=least)


def _sizes_apart(found: Bases, least: int) -> bool:
    """Return whether, in some group, all but the organisations of one size are too few (but there are some)."""
    n, organisations = found.respondents, found.organisations
    rest = n.sum(axis=1, keepdims=True) - n
    others = _few(rest, organisations.sum(axis=1, keepdims=True) - organisations, least)
    return bool((others & (n > 0)).any())
