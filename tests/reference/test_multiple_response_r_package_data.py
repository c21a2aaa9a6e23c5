"""The published multiple-response tests agree with R's MRCV on the farmers it documents itself with (GPL)."""

from analysis.bilder_loughin import published_mmi, published_spmi
from tests.reference.conftest import REFERENCE
from tests.validation._cases import Case
from tests.validation._picks import agree_with_mrcv, items_and_banner


def test_farmers_sources_of_information_by_education_agree_with_mrcv():
    case = Case(REFERENCE / "mmi__farmer1.json")
    banner, items = items_and_banner(case)
    agree_with_mrcv(case, published_mmi(case.frame[items], case.frame[banner], zero_cells=0.5))


def test_farmers_waste_storage_by_sources_of_information_agrees_with_mrcv():
    case = Case(REFERENCE / "spmi__farmer2.json")
    waste, sources = ([name for name in case.frame if name[0] == letter] for letter in "wy")
    agree_with_mrcv(case, published_spmi(case.frame[waste], case.frame[sources], zero_cells=0.5))
