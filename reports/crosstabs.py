"""Every closed question by every banner of the plan, per respondent and per organisation."""

from __future__ import annotations

from collections.abc import Iterator

from kysely.codebook import Kind
from reports._figures import BOOK, Figures
from reports._material import Material
from reports.parts import Paragraph, Part, Section
from reports.topline import ESTIMANDS, sentence


def build(material: Material, language: str) -> Section:
    """Return a section a question, in the order asked."""
    figures = Figures(material, language)
    say = figures.say
    limits = {
        "respondents": material.limit("suppress_respondents"),
        "organisations": material.limit("suppress_organisations"),
    }
    return Section(
        id="crosstabs",
        title=say("crosstabs.title"),
        parts=(
            Paragraph(say("crosstabs.intro")),
            Paragraph(say("crosstabs.few", **limits)),
            Paragraph(say("crosstabs.empty")),
            Paragraph(say("crosstabs.wide"), screen=True),
            *(Paragraph(text) for text in weighted(figures)),
        ),
        sections=tuple(
            Section(f"crosstab-{name}", figures.title(name), tuple(_tables(figures, name)), wide=True)
            for name in questions(material)
        ),
    )


def weighted(figures: Figures) -> Iterator[str]:
    """Yield how weighted figures stand beside the others, or where it is told why there are none."""
    if figures.material.weighted:
        yield figures.say("crosstabs.weighted")
    elif figures.material.estimates.weights.get("lacking"):
        yield figures.say("crosstabs.not_weighted")


def questions(material: Material) -> tuple[str, ...]:
    """Return the names the book tabulates: closed variables, sets of options, and each rated option."""
    tabulated = set(material.estimates.select(table=BOOK)["variable"])
    names = (
        variable.set if variable.set and variable.kind is Kind.BINARY else variable.name
        for variable in material.codebook.variables
        if variable.closed
    )
    return tuple(dict.fromkeys(name for name in names if name in tabulated))


def _tables(figures: Figures, name: str) -> Iterator[Part]:
    say = figures.say
    question = sentence(figures.title(name))
    for estimand in ESTIMANDS:
        by = "table.percent_of_respondents" if estimand == "respondent" else "table.percent_of_organisations"
        yield figures.crosstab(
            BOOK,
            name,
            figures.material.plan.banners,
            estimand,
            caption=say(f"crosstabs.{estimand}_caption", question=question),
            subtitle=say(by),
            notes=tuple(_remarks(figures, name)),
            folded=estimand == "organisation",
        )
        tests = figures.tests(name, figures.material.plan.banners, estimand, folded=estimand == "organisation")
        if tests is not None:
            yield tests


def _remarks(figures: Figures, name: str) -> Iterator[str]:
    if name not in figures.material.codebook:
        yield figures.say("table.several")
    elif figures.material.codebook[name].kind is Kind.LEVEL:
        yield figures.say("crosstabs.two_step")
