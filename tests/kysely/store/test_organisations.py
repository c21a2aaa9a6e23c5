"""When two respondents mean the same organisation, and what the answers know of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from kysely.codebook import Missing
from kysely.errors import StoreError
from kysely.store import SIMULATED, Conflict, OrganisationTyped, Replayed, Saved, matching
from tests.kysely.harvest import NOW

# Two valid business ids; the check digit is the last one.
ONE, OTHER = "2077474-0", "0112038-9"


def rows(store, query):
    with store.identities.database.reading() as connection:
        return connection.execute(text(query)).all()


def organisations(store):
    """Return the ids that the answers have of the organisations there are."""
    return {store.identities.keys.answers_id(id) for (id,) in rows(store, "SELECT id FROM organisation")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mäkelän Tila Oy", "  mäkelän   tila  OY "),
        ("Etelä-Savon sähkö", "Etelä Savon Sähkö"),
        ("Etelä\u2011Savon sähkö", "ETELÄ–SAVON SÄHKÖ"),
        ("Tila Oy.", '"Tila Oy"'),
        ("Maito r.y.", "Maito ry"),
        ("Ma\u0308kela\u0308", "Mäkelä"),
        ("Ｋone", "kone"),
        ("O’Brien", "OBrien"),
    ],
)
def test_case_blanks_hyphens_and_punctuation_do_not_part_names(one, other):
    assert matching.key(one) == matching.key(other) != ""


@pytest.mark.parametrize(
    ("one", "other"), [("Esimerkki Oy", "Esimerkki ry"), ("Tila", "Tilä"), ("Åbo", "Abo"), ("Tila 1", "Tila 2")]
)
def test_legal_forms_letters_and_figures_part_names(one, other):
    assert matching.key(one) != matching.key(other)


def test_a_name_of_punctuation_alone_is_still_a_name():
    assert matching.key("!!!") == "!!!"
    assert matching.key("  ") == ""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Tila Oy", "Salo", ONE), ("Kokonaan muu", "Vaasa", ONE)),
        (("Tila Oy", "Salo", ""), ("TILA OY", "salo", "")),
        (("Tila Oy", "Salo", ""), ("Tila Oy", "Salo", ONE)),
        (("Tila Oy", "Salo", ONE), ("Tila Oy", "Salo", "")),
        (("Tila Oy", "", ""), ("tila oy", "", "")),
        (("", "", ONE), ("Tila Oy", "Salo", ONE)),
    ],
)
def test_the_same_business_id_or_the_same_name_and_municipality_is_the_same_organisation(start, first, second):
    one, other = start(), start()
    one.names(*first)
    other.names(*second)
    assert one.organisation == other.organisation is not None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("Tila Oy", "Salo", ONE), ("Tila Oy", "Salo", OTHER)),
        (("Tila Oy", "Salo", ""), ("Tila Oy", "Vaasa", "")),
        (("Tila Oy", "Salo", ""), ("Tila Ab", "Salo", "")),
        (("", "", ONE), ("", "", OTHER)),
    ],
)
def test_different_business_ids_names_or_municipalities_are_different_organisations(start, first, second):
    one, other = start(), start()
    one.names(*first)
    other.names(*second)
    assert one.organisation != other.organisation


def test_a_name_borne_by_two_organisations_identifies_neither(start):
    one, other, third = start(), start(), start()
    one.names("Tila Oy", "Salo", ONE)
    other.names("Tila Oy", "Salo", OTHER)
    third.names("Tila Oy", "Salo")
    assert len({one.organisation, other.organisation, third.organisation}) == 3


def test_an_invalid_business_id_identifies_nobody(start):
    one, other = start(), start()
    one.names("Tila", "Salo", "1234567-8")
    other.names("Muu", "Salo", "1234567-8")
    assert one.organisation != other.organisation


def test_respondents_who_name_a_new_organisation_at_once_make_one_of_it(start):
    respondents = [start() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: one.names("Tila Oy", "Salo"), respondents))
    assert len({one.organisation for one in respondents}) == 1


def test_robots_never_meet_real_organisations(store, start, harvest):
    simulated = store.open_wave(harvest, name="robots", origin=SIMULATED, now=NOW)
    person, robot = start(), start(simulated, SIMULATED)
    person.names("Tila Oy", "Salo", ONE)
    robot.names("Tila Oy", "Salo", ONE)
    assert person.organisation != robot.organisation
    assert rows(store, "SELECT count(*) FROM organisation") == [(2,)]


def test_a_respondent_is_a_person_in_an_organisation_with_a_role_and_no_time(store, respondent):
    respondent.names("Tila Oy", "Salo", ONE)
    respondent.saves("person", role="OWNER")
    columns = "organisation_id, response_link, role_sealed, name_typed, municipality_typed, business_id_typed, origin"
    ((organisation, link, role, *typed),) = rows(store, f"SELECT {columns} FROM respondent")
    assert typed == ["Tila Oy", "Salo", ONE, "real"] and "OWNER" not in role
    assert store.identities.role(respondent.id) == "OWNER"
    assert store.organisation_typed(respondent.id) == OrganisationTyped("Tila Oy", "Salo", ONE)
    keys = store.identities.keys
    assert (keys.answers_id(link), keys.answers_id(organisation)) == (respondent.id, respondent.organisation)


def test_neither_database_holds_an_id_of_the_other(store, start):
    """Whoever has both databases, and not the link key, has nothing to join them by."""
    for number in range(3):
        person = start()
        person.names(f"Tila {number}", "Salo")
        person.saves("person", role="WORKER")
    values = []
    for database in (store.answers.database, store.identities.database):
        with database.reading() as connection:
            found = {
                value
                for table in database.metadata.tables
                for row in connection.execute(text(f"SELECT * FROM {table}"))
                for value in row
                if isinstance(value, str)
            }
        values.append({value for value in found if len(value) >= 16})
    assert values[0] and values[1] and not values[0] & values[1]


def test_when_a_wave_is_closed_no_order_in_which_people_answered_is_left(store, start, wave):
    for number in range(9):
        start().names(f"Tila {number}", "Salo")
    store.close_wave(wave, NOW)
    for table in ("respondent", "organisation"):
        if store.identities.database.sqlite:
            with pytest.raises(StoreError, match="refused a statement"):
                rows(store, f"SELECT rowid FROM {table}")
        else:
            assert len(rows(store, f"SELECT DISTINCT xmin::text FROM {table}")) == 1
            lying = rows(store, f"SELECT id FROM {table} ORDER BY ctid")
            assert len(lying) == 9 and lying == sorted(lying)


def test_the_role_is_kept_whichever_page_comes_first(store, respondent):
    respondent.saves("person", role="WORKER")
    respondent.names("Tila Oy")
    assert store.identities.role(respondent.id) == "WORKER"
    respondent.saves("person", role=Missing.NO_ANSWER)
    assert store.identities.role(respondent.id) is None


def test_a_respondent_who_corrects_the_organisation_moves_to_the_other_one(store, start):
    colleague, respondent = start(), start()
    colleague.names("Tila Oy", "Salo")
    respondent.names("Tilla Oy", "Salo")
    respondent.names("Tila Oy", "Salo")
    assert respondent.organisation == colleague.organisation
    assert rows(store, "SELECT count(*) FROM respondent") == [(2,)]
    # The misspelt one has nobody left.
    assert rows(store, "SELECT name FROM organisation") == [("Tila Oy",)]


def test_an_organisation_taken_back_leaves_no_trace_of_the_name(store, respondent):
    respondent.names("Tila Oy", "Salo")
    respondent.names()
    assert respondent.organisation is None
    assert store.organisation_typed(respondent.id) is None
    assert rows(store, "SELECT count(*) FROM organisation") == rows(store, "SELECT count(*) FROM respondent") == [(0,)]


def test_naming_the_same_organisation_twice_is_as_once(store, respondent):
    assert respondent.names("Tila Oy", "Salo", key="k", based_on=0) == Saved(1)
    assert respondent.names("Tila Oy", "Salo", key="k", based_on=0) == Replayed(1)
    respondent.names("Tila Oy", "Salo")
    assert rows(store, "SELECT count(*) FROM respondent") == [(1,)]


def test_two_tabs_that_name_different_organisations_are_shown_both(respondent):
    respondent.names("Tila Oy", "Salo", key="one tab", based_on=0)
    outcome = respondent.names("Muu Oy", "Salo", key="other tab", based_on=0)
    assert isinstance(outcome, Conflict)
    assert outcome.organisation == OrganisationTyped("Tila Oy", "Salo")
    assert respondent.names("Tila Oy", "Salo", key="third tab", based_on=0) == Saved(1)


def test_a_name_corrected_by_the_back_button_is_no_replay(store, respondent):
    respondent.names("Tila Oy", "Salo", key="k", based_on=0)
    respondent.names("Tila Ab", "Salo", key="k", based_on=0)
    assert store.organisation_typed(respondent.id) == OrganisationTyped("Tila Ab", "Salo")


def test_if_the_answers_fail_after_the_identity_was_written_a_second_try_mends_it(store, respondent, monkeypatch):
    from kysely.store import saving

    def power_cut(*args, **more):
        raise OSError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr(saving, "_write", power_cut)
        with pytest.raises(OSError):
            respondent.names("Tila Oy", "Salo", key="k", based_on=0)
    assert respondent.organisation is None  # an organisation without answers, never the other way round
    assert respondent.names("Tila Oy", "Salo", key="k", based_on=0) == Saved(1)
    assert organisations(store) == {respondent.organisation}
    assert rows(store, "SELECT count(*) FROM respondent") == [(1,)]


@pytest.mark.parametrize("now", [("Muu Oy", "Vaasa"), ("", "")], ids=["corrected", "withdrawn"])
@pytest.mark.parametrize("cut", ["_write", "_referred"])
def test_the_answers_never_point_to_an_organisation_that_is_gone(store, respondent, monkeypatch, now, cut):
    from kysely.store import saving

    def power_cut(*args, **more):
        raise OSError("power cut")

    respondent.names("Tila Oy", "Salo")
    with monkeypatch.context() as broken:
        broken.setattr(saving, cut, power_cut)
        with pytest.raises(OSError):
            respondent.names(*now, key="k", based_on=1)
    assert {respondent.organisation} - {None} <= organisations(store)
    # The browser sends the form again, and everything is as if nothing had happened.
    respondent.names(*now, key="k", based_on=1)
    assert respondent.state.revision == 2
    left = [name for name in now[:1] if name]
    assert [name for (name,) in rows(store, "SELECT name FROM organisation")] == left
    assert rows(store, "SELECT count(*) FROM respondent") == [(len(left),)]


def test_an_organisation_that_a_colleagues_answers_still_point_to_is_not_removed(store, start, monkeypatch):
    from kysely.store import saving

    def power_cut(*args, **more):
        raise OSError("power cut")

    colleague, respondent = start(), start()
    for one in (colleague, respondent):
        one.names("Tila Oy", "Salo")
    with monkeypatch.context() as broken:
        broken.setattr(saving, "_write", power_cut)
        with pytest.raises(OSError):
            colleague.names("Muu Oy", "Vaasa")
    respondent.names()
    assert colleague.organisation in organisations(store)


def test_a_page_is_saved_even_if_the_names_it_leaves_behind_cannot_be_removed_yet(store, respondent, monkeypatch):
    def busy(*_, **more):
        raise store.identities.database.busy()

    respondent.names("Tila Oy", "Salo")
    with monkeypatch.context() as occupied:
        occupied.setattr("kysely.store.identities.Identities.tidy", busy)
        assert respondent.names() == Saved(2)
    assert respondent.names() == Saved(2)
    assert rows(store, "SELECT count(*) FROM respondent") == [(0,)]


def test_a_municipality_alone_is_kept_and_is_an_organisation_of_the_respondents_own(store, start):
    one, other = start(), start()
    for respondent in (one, other):
        respondent.names(municipality="Vaasa")
    assert store.organisation_typed(one.id) == OrganisationTyped("", "Vaasa", "")
    assert one.organisation != other.organisation and None not in (one.organisation, other.organisation)


def test_correcting_a_municipality_and_then_naming_the_organisation_leaves_nothing_behind(store, start):
    respondent, namesake = start(), start()
    namesake.names("Tila Oy", "Salo")
    respondent.names(municipality="Vasa")
    mine = respondent.organisation
    respondent.names(municipality="Salo")
    assert (respondent.organisation, rows(store, "SELECT count(*) FROM organisation")) == (mine, [(2,)])
    respondent.names("Tila Oy", "Salo")
    assert respondent.organisation == namesake.organisation
    assert rows(store, "SELECT name, municipality FROM organisation") == [("Tila Oy", "Salo")]


def test_taking_the_name_back_but_not_the_municipality_leaves_the_organisation_to_those_who_named_it(store, start):
    respondent, colleague = start(), start()
    for one in (respondent, colleague):
        one.names("Tila Oy", "Salo", ONE)
    respondent.names(municipality="Salo")
    assert store.organisation_typed(respondent.id) == OrganisationTyped("", "Salo", "")
    assert respondent.organisation != colleague.organisation
    assert rows(store, f"SELECT count(*) FROM organisation WHERE business_id = '{ONE}'") == [(1,)]
    respondent.names()
    assert store.organisation_typed(respondent.id) is None
    assert rows(store, "SELECT count(*) FROM organisation") == [(1,)]


def test_an_organisation_named_again_as_it_was_is_no_new_revision(store, respondent):
    respondent.names("Tila Oy", "Salo", farm_given=1)
    assert respondent.names("Tila Oy", "Salo", farm_given=1) == Saved(1)
    # Spelt otherwise it is the same organisation, but not what was typed.
    assert respondent.names("TILA OY", "Salo", farm_given=1) == Saved(2)
    assert respondent.names(farm_given=Missing.NO_ANSWER) == Saved(3)
    assert respondent.names(farm_given=Missing.NO_ANSWER) == Saved(3)
    assert (respondent.organisation, rows(store, "SELECT count(*) FROM organisation")) == (None, [(0,)])


def test_a_tab_that_confirms_the_organisation_is_no_quarrel_with_a_tab_opened_before(respondent):
    respondent.names("Tila Oy", "Salo", farm_given=1)
    respondent.saves("person", role="OWNER")
    respondent.names("Tila Oy", "Salo", farm_given=1)
    assert respondent.names("Muu Oy", "Salo", key="old tab", based_on=1, farm_given=1) == Saved(3)
