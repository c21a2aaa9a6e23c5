"""What peers answered is shown from a published file only, and only if every number in it is a public one."""

from __future__ import annotations

import copy
import json
from datetime import date

import pytest

from kysely import snapshots
from kysely.snapshots import Share, SnapshotError

SHARE = {"percent": 35, "bound": None, "n_low": 30, "n_high": 49}
PUBLISHED = {
    "format": "kysely-peers/1",
    "release": "public",
    "instrument": "operating_mode",
    "synthetic": False,
    "dataset": 2,
    "published_at": "2026-11-22",
    "category": "CENTRAL",
    "classification": {
        "name": "org3",
        "variable": "BG10",
        "groups": {"company": ["COMP", "COOP"], "public": ["MUNI"], "third": ["NGO"]},
    },
    "modes": [
        {
            "code": "PROD",
            "variable": "OM_B02_PROD",
            "dataset": 2,
            "published_at": "2026-11-22",
            "publication": "0123456789ab",
            "all": {"percent": 37, "bound": None, "n_low": 120, "n_high": 120},
            "groups": {"company": SHARE, "OTHER": {"percent": 10, "bound": "under", "n_low": 10, "n_high": 19}},
        }
    ],
}


def changed(*path, to):
    """Return what was published, with one value of it changed."""
    data = copy.deepcopy(PUBLISHED)
    inside = data
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = to
    return json.dumps(data)


def test_a_respondent_meets_the_group_of_the_own_answer_and_others_where_it_is_too_small():
    found = snapshots.peers(json.dumps(PUBLISHED))
    (mode,) = found.modes
    assert (found.published_at, found.synthetic, mode.all) == (date(2026, 11, 22), False, Share(37, None, 120, 120))
    assert found.group(mode, "COOP") == ("company", Share(35, None, 30, 49))
    assert found.group(mode, "MUNI") == ("OTHER", Share(10, "under", 10, 19))
    assert found.group(mode, "MARS") is None and found.group(mode, None) is None


def test_without_a_breakdown_there_is_only_everybody():
    data = json.loads(changed("classification", to=None))
    data["modes"][0]["groups"] = {}
    found = snapshots.peers(json.dumps(data))
    assert found.group(found.modes[0], "COMP") is None


@pytest.mark.parametrize(
    ("path", "to", "said"),
    [
        (("release",), "research", "release is not 'public'"),
        (("format",), "kysely-peers/2", "format is not"),
        (("synthetic",), None, "synthetic is lacking"),
        (("dataset",), 0, "dataset is below 1"),
        (("dataset",), True, "dataset is lacking or of another kind"),
        (("published_at",), "yesterday", "published_at is no day"),
        (("modes",), [], "modes lists none"),
        (("modes", 0, "all", "n_low"), 118, "a base is not rounded"),
        (("modes", 0, "all", "percent"), 36.6, "percent is lacking or of another kind"),
        (("modes", 0, "all", "bound"), "about", "a bound of over, under or none"),
        (("modes", 0, "groups", "company", "percent"), 37, "not rounded to five"),
        (("modes", 0, "groups", "BANK"), SHARE, "there is no group 'BANK'"),
        (("classification", "groups", "company"), "COMP", "no list of codes"),
    ],
)
def test_a_number_that_is_not_rounded_as_public_ones_are_is_shown_to_nobody(path, to, said):
    with pytest.raises(SnapshotError, match=said) as error:
        snapshots.peers(changed(*path, to=to))
    assert "python -m analysis publish" in str(error.value)


@pytest.mark.parametrize("text", ["", "[", "[]", "3", '{"format": []}', "[" * 100_000])
def test_a_file_that_is_something_else_is_named(text, tmp_path):
    (tmp_path / snapshots.FILE).write_text(text)
    with pytest.raises(SnapshotError, match="feedback.json"):
        snapshots.read(tmp_path)


def test_where_nothing_is_published_there_is_nothing_to_compare_with(tmp_path):
    assert snapshots.read(tmp_path) is None and snapshots.read(tmp_path / "nowhere") is None
