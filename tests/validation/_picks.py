"""How the cases computed with R's MRCV name their items, and what of them is compared."""

from __future__ import annotations

import re

import numpy as np

from analysis.bilder_loughin import PublishedTest
from tests.validation._cases import Case


def items_and_banner(case: Case) -> tuple[str, list[str]]:
    """Return the banner and the items: MRCV takes the first column for the one and the rest for the others."""
    chosen = re.search(r"x\[c\(([^)]*)\)\]", case.call)
    columns = re.findall(r'"(\w+)"', chosen.group(1)) if chosen else list(case.frame.columns)
    return columns[0], columns[1:]


def agree_with_mrcv(case: Case, ours: PublishedTest) -> None:
    expected = case.expected
    case.agree(ours.x2, expected["X2_S"])
    case.agree(np.atleast_2d(ours.item_x2), expected["X2_S_ij"]["values"])
    rs2 = expected["rs2"]
    case.agree([ours.rs2.statistic, ours.rs2.ndf, ours.rs2.p], [rs2["stat"], rs2["df"], rs2["p"]])
    case.agree(ours.bonferroni, expected["bonferroni"]["p"])
    case.agree(np.atleast_2d(ours.item_p), expected["bonferroni"]["p_ij"]["values"])
