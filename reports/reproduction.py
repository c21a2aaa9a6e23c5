"""The claims of the 2015 study with their verdicts, and the counter-test that the tests themselves passed."""

from __future__ import annotations

from collections.abc import Iterator

from analysis import wording
from analysis.claim_tests._finding import Verdict
from analysis.claims import ClaimResult
from analysis.evidence import Measure
from analysis.falsification import Falsification
from reports._figures import HIDDEN_SIGN
from reports._material import Material
from reports.parts import Bullets, Cell, Column, Head, Note, Paragraph, Part, Row, Section, Table
from reports.parts.wording import Wording

GROUPS = (("sample", "PC0"), ("questionnaire", "PC1"), ("modes", "PC2"))
BASES = ("by_design", "by_construction", "emergent", "real")


def build(material: Material, language: str) -> Section:
    """Return the reproduction table, the claims computed in other ways, and the counter-test."""
    say = Wording(language)
    synthetic = material.estimates.provenance.synthetic
    parts: list[Part] = [Paragraph(say("reproduction.intro"))]
    if synthetic:
        parts.append(Note(say("reproduction.synthetic"), say("reproduction.synthetic_title"), "caution"))
    parts += [Paragraph(say("reproduction.strict")), _claims(material, say)]
    sections = [
        Section("verdicts", say("reproduction.verdicts_title"), tuple(_key(material, say)), listed=False),
        Section("falsification", say("reproduction.falsification_title"), tuple(_falsification(material, say))),
    ]
    if table := _details(material, say):
        intro = Paragraph(say("reproduction.details_intro"))
        sections.insert(1, Section("sensitivity", say("reproduction.details_caption"), (intro, table)))
    return Section("reproduction", say("reproduction.title"), tuple(parts), sections=tuple(sections), wide=True)


def _claims(material: Material, say: Wording) -> Table:
    rows: list[Row | Head] = []
    for name, claims in _grouped(material.claims):
        rows.append(Head(say(f"reproduction.{name}")))
        rows += [_claim(claim, material, say) for claim in claims]
    columns = ("expected", "respondent", "organisation", "verdict", "basis")
    return Table(
        id="claims",
        caption=say("reproduction.caption"),
        stub=say("reproduction.claim"),
        columns=tuple(
            Column(say(f"table.{name}" if name in ("respondent", "organisation") else f"reproduction.{name}"),
                   numeric=name in ("respondent", "organisation"))
            for name in columns
        ),
        rows=tuple(rows),
        notes=(*_hidden_note(material, say), *_reasons(material, say)),
        prose=True,
    )  # fmt: skip


def _grouped(claims: tuple[ClaimResult, ...]) -> Iterator[tuple[str, list[ClaimResult]]]:
    """Yield the claims by what they are about; those the form cannot reach come last."""
    rest = [claim for claim in claims if not claim.expected]
    for name, start in GROUPS:
        found = [claim for claim in claims if claim.expected and claim.id.startswith(start)]
        if found:
            yield name, found
    if rest:
        yield "elsewhere", rest


def _claim(claim: ClaimResult, material: Material, say: Wording) -> Row:
    language = say.language
    measure = claim.measure[language] if claim.measure else ""
    return Row(
        f"{claim.id} {claim.claim[language]}",
        (
            Cell(claim.expected.get(language, ""), detail=measure),
            _value(claim.respondent, say),
            _value(claim.organisation, say),
            _verdict(claim, material, say),
            Cell(" + ".join(say(f"basis.{basis}") for basis in claim.basis)),
        ),
        detail=claim.note[language] if claim.note else "",
    )


def _verdict(claim: ClaimResult, material: Material, say: Wording) -> Cell:
    """Return the verdict; of what was put into the data it says in the same breath that it is no finding."""
    agrees = claim.verdict in (Verdict.REPRODUCED, Verdict.CONSISTENT)
    detail = ""
    if agrees and "by_construction" in claim.basis:
        detail = say("reproduction.set_beforehand")
    elif claim.why:
        detail = say(f"why.{claim.why}", small_base=material.limit("small_base"))
    return Cell(say(f"verdict.{claim.verdict.name}"), detail=detail, strong=agrees)


def _reasons(material: Material, say: Wording) -> tuple[str, ...]:
    """Return in full why some claims are not decided, once each."""
    limits = {
        "respondents": material.limit("suppress_respondents"),
        "organisations": material.limit("suppress_organisations"),
        "small_base": material.limit("small_base"),
    }
    used = dict.fromkeys(claim.why for claim in material.claims if claim.why)
    return tuple(say(f"reproduction.{why}", **limits) for why in used)


def _value(measure: Measure | None, say: Wording) -> Cell:
    if measure is None:
        return Cell("")
    if measure.value is None:
        return Cell(HIDDEN_SIGN, spoken=say("signs.suppressed"))
    language = say.language
    text, detail = "", ""
    if measure.unit == "share":
        text = wording.percent(measure.value, language, 1)
        if measure.low is not None and measure.high is not None:
            detail = wording.percent_range(measure.low, measure.high, language, 1)
    elif measure.unit in ("points", "scale"):
        written = wording.points if measure.unit == "points" else wording.scale_points
        text = written(measure.value, language, 1)
        if measure.low is not None and measure.high is not None:
            detail = wording.points_range(measure.low, measure.high, language, 1)
    else:
        text = wording.number(measure.value, language, 2 if measure.unit == "number" else 0)
    return Cell(text, detail=detail)


def _hidden_note(material: Material, say: Wording) -> tuple[str, ...]:
    measures = [measure for claim in material.claims for measure in (claim.respondent, claim.organisation)]
    if all(measure is None or measure.shown for measure in measures):
        return ()
    return (
        say(
            "signs.suppressed_note",
            respondents=material.limit("suppress_respondents"),
            organisations=material.limit("suppress_organisations"),
        ),
    )


def _key(material: Material, say: Wording) -> Iterator[Part]:
    yield Bullets(tuple(f"{say(f'verdict.{one.name}')}: {say(f'verdict_means.{one.name}')}" for one in Verdict))
    used = {basis for claim in material.claims for basis in claim.basis}
    yield Paragraph(f"{say('reproduction.bases_title')}:")
    yield Bullets(tuple(f"{say(f'basis.{one}')}: {say(f'basis_means.{one}')}" for one in BASES if one in used))


def _details(material: Material, say: Wording) -> Table | None:
    """Return the sensitivities: the same claims by other statistics and in parts of the sample."""
    rows: list[Row | Head] = []
    for claim in material.claims:
        if not claim.details:
            continue
        rows.append(Head(f"{claim.id} {claim.claim[say.language]}"))
        for detail in claim.details:
            holds = "" if detail.holds is None else say("reproduction.yes" if detail.holds else "reproduction.no")
            cells = (_value(detail.respondent, say), _value(detail.organisation, say), Cell(holds))
            rows.append(Row(detail.label[say.language], cells))
    if not rows:
        return None
    return Table(
        id="claim-details",
        caption=say("reproduction.details_caption"),
        stub=say("table.statistic"),
        columns=(
            Column(say("table.respondent")),
            Column(say("table.organisation")),
            Column(say("reproduction.holds"), numeric=False),
        ),
        rows=tuple(rows),
        notes=_hidden_note(material, say),
    )


def _falsification(material: Material, say: Wording) -> Iterator[Part]:
    found = material.falsification
    if found is None:
        yield Note(say("reproduction.falsification_none"))
        return
    replicates = max((rate.replicates for rate in found.rates), default=0)
    yield Paragraph(say("reproduction.falsification", replicates=wording.number(replicates, say.language)))
    yield _rates(found, material, say)
    yield Paragraph(say("reproduction.exempt", ids=", ".join(found.exempt)))


def _rates(found: Falsification, material: Material, say: Wording) -> Table:
    language = say.language
    texts = {claim.id: claim.claim[language] for claim in material.claims}
    rows = tuple(
        Row(
            f"{rate.id} {texts.get(rate.id, '')}".strip(),
            (
                Cell(say(f"reproduction.{rate.world}") if rate.world else ""),
                Cell(wording.number(rate.replicates, language)),
                Cell(wording.percent(rate.share, language, 1)),
                Cell(wording.percent(rate.upper, language, 1)),
                Cell(wording.percent(rate.error_rate, language, 1)),
                Cell(say("reproduction.yes" if rate.kept else "reproduction.no")),
            ),
        )
        for rate in found.rates
    )
    names = ("world", "replicates", "reproduced", "upper", "error_rate", "kept")
    return Table(
        id="falsification-rates",
        caption=say("reproduction.falsification_caption"),
        stub=say("reproduction.claim"),
        columns=tuple(Column(say(f"reproduction.{name}"), numeric=name not in ("world", "kept")) for name in names),
        rows=rows,
    )
