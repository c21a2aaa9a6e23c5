"""What charts say around the numbers, written out per language and never assembled from words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime

from analysis import wording
from analysis.estimates import COMPLEMENTARY, HIDDEN, Provenance
from analysis.plan import ChartSpec
from analysis.population import NONE
from analysis.wording import EN_DASH, HIDDEN_SIGN, NBSP, base, base_range, number, percent, quoted

FOOTER = {
    "fi": ("Vastaajat:", "Huom.:", "Lähde:"),
    "sv": ("Svarande:", "Anm.:", "Källa:"),
    "en": ("Base:", "Note:", "Source:"),
}
ALL_RESPONDENTS = {"fi": "Kaikki vastaajat", "sv": "Alla svarande", "en": "All respondents"}

_SYNTHETIC = {
    "fi": "Synteettinen esimerkki – ei tutkimustulos",
    "sv": "Syntetiskt exempel – inget forskningsresultat",
    "en": "Synthetic example – not a survey result",
}
_DEMONSTRATION = {
    "fi": "Esittelyaineisto – ei tutkimustulos",
    "sv": "Demonstrationsmaterial – inget forskningsresultat",
    "en": "Demonstration data – not a survey result",
}
_DRAFT = {
    "fi": "Luonnos – tiedonkeruu on kesken",
    "sv": "Utkast – datainsamlingen pågår",
    "en": "Draft – fieldwork is still open",
}
_ANSWERS = {"fi": "Kyselyn vastaukset", "sv": "Enkätsvar", "en": "Survey responses"}


ALT_LIMIT = 400
"""Characters a screen reader's user is asked to listen to before the table, which has everything."""


@dataclass(frozen=True)
class Words:
    """What is written around a chart's body, in one language."""

    kicker: str
    headline: str
    subtitle: str
    base: str
    note: str
    source: str
    labels: tuple[str, str, str]  # of base, note and source

    @property
    def footer(self) -> tuple[tuple[str, str], ...]:
        return tuple(zip(self.labels, (self.base, self.note, self.source), strict=True))


def words(
    spec: ChartSpec, provenance: Provenance, language: str, *, base: Iterable[str], notes: Iterable[str]
) -> Words:
    """Return the words of *spec*, with what must be said of the base, the marks and the source.

    The author's note comes before the notes that explain the marks.
    """
    own_note = [spec.note[language]] if spec.note else []
    return Words(
        kicker=kicker(provenance, language),
        headline=spec.headline[language],
        subtitle=spec.subtitle[language],
        base=" ".join([respondents(provenance, language), *filter(None, base)]),
        note=" ".join([*own_note, *filter(None, notes)]),
        source=source(provenance, language, study=spec.source[language] if spec.source else None),
        labels=FOOTER[language],
    )


def alternative(
    spec: ChartSpec, provenance: Provenance, language: str, *, findings: Iterable[str], flags: Iterable[str]
) -> str:
    """Return the text for those who don't see the chart: what it is, what it shows, where all numbers are.

    The author's description, the warning and the flags are always in it; findings as far as they fit.
    """
    before = [f"{warning(provenance, language)}."] if warning(provenance, language) else []
    description = wording.plain(spec.alt[language])
    after = [*filter(None, flags), table_beside(language)]
    if not description:
        return ""
    told: list[str] = []
    for finding in findings:
        if len(" ".join([*before, description, *told, finding, *after])) <= ALT_LIMIT:
            told.append(finding)
    return wording.plain(" ".join([*before, description, *told, *after]))


def caption(words: Words, title: str, provenance: Provenance, language: str) -> str:
    """Return what stands under the picture on a page: the warning, its title, who answered, and the source."""
    said = [warning(provenance, language), title]
    return " ".join(
        [*(sentence(part) for part in said if part), respondents(provenance, language), wording.plain(words.source)]
    )


def sentence(text: str) -> str:
    """Return *text* with a full stop, unless it ends a sentence already."""
    return text if text[-1:] in ".!?…" else f"{text}."


def warning(provenance: Provenance, language: str) -> str:
    """Return what the reader must know before any number: that the answers are made up, a try-out, or not all in yet.

    It follows from where the numbers come from; no argument and no plan can leave it out.
    """
    if provenance.synthetic:
        return _SYNTHETIC[language]
    if provenance.demonstration:
        return _DEMONSTRATION[language]
    return _DRAFT[language] if provenance.draft else ""


def kicker(provenance: Provenance, language: str) -> str:
    """Return the warning as it stands above the headline."""
    return warning(provenance, language).upper()


def data(provenance: Provenance, language: str) -> str:
    """Return what a row of the CSV is a row of."""
    return kicker(provenance, language) or _ANSWERS[language]


def respondents(provenance: Provenance, language: str) -> str:
    """Return the base in respondents and organisations."""
    n, organisations = provenance.responses, provenance.organisations
    figures = number(n, language), number(organisations, language)
    if language == "fi":
        who = "vastaaja" if n == 1 else "vastaajaa"
        where = "yhdestä organisaatiosta" if organisations == 1 else f"{figures[1]}{NBSP}organisaatiosta"
        return f"{figures[0]}{NBSP}{who} {where}."
    if language == "sv":
        where = "organisation" if organisations == 1 else "organisationer"
        return f"{figures[0]}{NBSP}svarande i {figures[1]}{NBSP}{where}."
    who = "respondent" if n == 1 else "respondents"
    where = "organisation" if organisations == 1 else "organisations"
    return f"{figures[0]}{NBSP}{who} in {figures[1]}{NBSP}{where}."


def one_line(label: str) -> str:
    """Return *label* without the line breaks and tabs that an author or a program left in it."""
    return label.replace("\n", " ").replace("\t", " ").strip()


def base_of(counts: Sequence[int], provenance: Provenance, language: str, *, shares: bool = True) -> list[str]:
    """Return whom figures are of, where not everybody answered, and what counts as one."""
    everyone = all(n == provenance.responses for n in counts)
    told = answered(counts, language) if shares else means_of(counts, language)
    return ["" if everyone else told, estimand("respondent", language)]


def means_of(bases: Sequence[int], language: str) -> str:
    """Return whom means are of, where some respondents gave no answer."""
    n = base_range(min(bases), max(bases), language)
    return {
        "fi": f"Keskiarvot on laskettu kysymykseen vastanneista ({n}).",
        "sv": f"Medelvärdena är beräknade på dem som besvarade frågan ({n}).",
        "en": f"Means are of those who answered the question ({n}).",
    }[language]


def scale_ends(low: tuple[str, str], high: tuple[str, str], language: str) -> str:
    """Return what the ends of a scale of means are called."""
    ends = [(number, quoted(name, language)) for number, name in (low, high)]
    return {
        "fi": f"Asteikko: {ends[0][0]}{NBSP}= {ends[0][1]}, {ends[1][0]}{NBSP}= {ends[1][1]}.",
        "sv": f"Skala: {ends[0][0]}{NBSP}= {ends[0][1]}, {ends[1][0]}{NBSP}= {ends[1][1]}.",
        "en": f"Scale: {ends[0][0]}{NBSP}= {ends[0][1]}, {ends[1][0]}{NBSP}= {ends[1][1]}.",
    }[language]


def mean_of_all(label: str, figure: str, n: int, language: str) -> str:
    """Return, for the alt text, the mean of all respondents."""
    of = base(n, language)
    return {
        "fi": f"Kaikkien vastaajien ({of}) keskiarvo: {label} {figure}.",
        "sv": f"Medelvärdet för alla svarande ({of}): {label} {figure}.",
        "en": f"Mean of all respondents ({of}): {label} {figure}.",
    }[language]


def change(option: str, first: tuple[str, str, int], last: tuple[str, str, int], language: str) -> str:
    """Return, for the alt text, a figure at the first and at the last wave, without calling it a change."""
    told = f" {EN_DASH} ".join(f"{wave}: {figure} ({base(n, language)})" for wave, figure, n in (first, last))
    return {"fi": f"{option} {told}.", "sv": f"{option} {told}.", "en": f"{option} {told}."}[language]


def other_combinations(count: int, language: str) -> str:
    return {
        "fi": f"Muut {count}{NBSP}yhdistelmää",
        "sv": f"{count}{NBSP}övriga kombinationer",
        "en": f"{count}{NBSP}other combinations",
    }[language]


def commonest(shown: int, count: int, language: str) -> str:
    return {
        "fi": f"Omalla rivillään on {shown}{NBSP}yleisintä {count}{NBSP}yhdistelmästä.",
        "sv": f"De {shown} vanligaste av {count}{NBSP}kombinationer har en egen rad.",
        "en": f"The {shown} most common of {count}{NBSP}combinations have rows of their own.",
    }[language]


def most_common(told: Sequence[tuple[str, str, int]], n: int, language: str) -> str:
    """Return, for the alt text, the commonest combinations with their shares and counts."""
    listed = "; ".join(f"{label} {share}" for label, share, _ in told)
    return {
        "fi": f"Yleisimmät ({base(n, language)}): {listed}.",
        "sv": f"Vanligast ({base(n, language)}): {listed}.",
        "en": f"Most common ({base(n, language)}): {listed}.",
    }[language]


PERSPECTIVES = {
    "fi": {"now": "Nyt", "wished": "Kolmen vuoden kuluttua", "strategy": "Strategiassa"},
    "sv": {"now": "Nu", "wished": "Om tre år", "strategy": "I strategin"},
    "en": {"now": "Now", "wished": "In three years", "strategy": "In the strategy"},
}
"""From when an organisation is looked at, as the marks of a chart are called."""


def change_heading(language: str) -> str:
    return {"fi": "Muutos, prosenttiyksikköä", "sv": "Ändring, procentenheter", "en": "Change, percentage points"}[
        language
    ]


def paired_change(language: str) -> str:
    return {
        "fi": f"Muutos on laskettu pyöristämättömistä luvuista nykyisestä toivottuun, suluissa sen 95{NBSP}%:n "
        "luottamusväli (samat vastaajat, organisaatiot ryppäinä).",
        "sv": "Ändringen är beräknad på oavrundade tal från nuläget till det önskade, inom parentes dess "
        "95-procentiga konfidensintervall (samma svarande, organisationerna som kluster).",
        "en": "The change is from now to the wish, computed from unrounded shares, with its 95% confidence interval in "
        "brackets (same respondents, organisations as clusters).",
    }[language]


def changed(option: str, now: str, wished: str, figures: str, n: int, language: str) -> str:
    """Return, for the alt text, one option's share now and as wished for, and the change with its interval."""
    of = base(n, language)
    return {
        "fi": f"{option}: nyt {now}, toivottu {wished}, muutos {figures}, {of}.",
        "sv": f"{option}: nu {now}, önskat {wished}, ändring {figures}, {of}.",
        "en": f"{option}: now {now}, wished for {wished}, change {figures}, {of}.",
    }[language]


def vertical_interval(language: str) -> str:
    return {
        "fi": f"Pystyviiva on 95{NBSP}%:n luottamusväli (organisaatiot ryppäinä).",
        "sv": "Det lodräta strecket är ett 95-procentigt konfidensintervall (organisationerna som kluster).",
        "en": "Vertical lines are 95% confidence intervals (organisations as clusters).",
    }[language]


def answered(bases: Sequence[int], language: str) -> str:
    """Return whom the shares are of, where some respondents gave no answer."""
    n = base_range(min(bases), max(bases), language)
    return {
        "fi": f"Osuudet on laskettu kysymykseen vastanneista ({n}).",
        "sv": f"Andelarna är beräknade på dem som besvarade frågan ({n}).",
        "en": f"Shares are of those who answered the question ({n}).",
    }[language]


def estimand(name: str, language: str) -> str:
    """Return what counts as one: a respondent, or an organisation however many of its people answered."""
    return {
        "respondent": {
            "fi": "Jokainen vastaaja painaa yhtä paljon.",
            "sv": "Varje svarande väger lika mycket.",
            "en": "Each respondent counts once.",
        },
        "organisation": {
            "fi": "Jokainen organisaatio painaa yhtä paljon.",
            "sv": "Varje organisation väger lika mycket.",
            "en": "Each organisation counts once.",
        },
    }[name][language]


def source(provenance: Provenance, language: str, *, study: str | None = None) -> str:
    """Return study, instrument and revision, wave, kind of data, weighting, release and dates of answering."""
    study = study or f"{provenance.title[language]}, {provenance.wave}"
    version = {"fi": "versio", "sv": "version", "en": "version"}[language]
    sentences = [
        f"{study} ({provenance.instrument}, {version}{NBSP}{provenance.revision}).",
        # A chart draws what Estimates.select() gives it: figures that are not weighted to the population.
        _WEIGHTING[_kind(provenance)][language][NONE],
        _RELEASE[language][provenance.release],
        _answering(provenance, language),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def interval(language: str) -> str:
    return {
        "fi": f"Vaakaviiva on 95{NBSP}%:n luottamusväli (organisaatiot ryppäinä).",
        "sv": "Det vågräta strecket är ett 95-procentigt konfidensintervall (organisationerna som kluster).",
        "en": "Horizontal lines are 95% confidence intervals (organisations as clusters).",
    }[language]


def total_line(language: str) -> str:
    return {
        "fi": "Pisteviiva: kaikki vastaajat.",
        "sv": "Prickad linje: alla svarande.",
        "en": "Dotted line: all respondents.",
    }[language]


def hollow(small_base: int, language: str) -> str:
    return {
        "fi": f"Ontto piste: alle {small_base}{NBSP}vastaajaa, tulos on suuntaa antava.",
        "sv": f"Ofylld punkt: färre än {small_base}{NBSP}svarande, tolka resultatet med försiktighet.",
        "en": f"Hollow dot: fewer than {small_base}{NBSP}respondents, read with caution.",
    }[language]


def star(small_base: int, language: str) -> str:
    return {
        "fi": f"* Alle {small_base}{NBSP}vastaajaa, tulos on suuntaa antava.",
        "sv": f"* Färre än {small_base}{NBSP}svarande, tolka resultatet med försiktighet.",
        "en": f"* Fewer than {small_base}{NBSP}respondents, read with caution.",
    }[language]


def hidden(flags: Sequence[str], provenance: Provenance, language: str) -> str:
    """Return why a sign stands where a figure would; empty if none does."""
    if not set(flags) & set(HIDDEN):
        return ""
    n = provenance.rules["suppress_respondents"]
    organisations = provenance.rules["suppress_organisations"]
    few = {
        "fi": f"{HIDDEN_SIGN} Tulosta ei näytetä, koska vastaajia on alle {n} tai organisaatioita alle {organisations}",
        "sv": f"{HIDDEN_SIGN} Resultatet visas inte, eftersom de svarande är färre än {n} "
        f"eller organisationerna färre än {organisations}",
        "en": f"{HIDDEN_SIGN} Not shown, because there are fewer than {n} respondents "
        f"or fewer than {organisations} organisations",
    }[language]
    other = {
        "fi": ", tai koska siitä voisi laskea toisen ryhmän peitetyn tuloksen.",
        "sv": ", eller eftersom en annan grupps dolda resultat annars skulle röjas.",
        "en": ", or because it would give away another group’s hidden result.",
    }[language]
    return few + (other if COMPLEMENTARY in flags else ".")


def bound(language: str) -> str:
    return {
        "fi": f"Osuuksissa 0 ja 100{NBSP}% viiva ulottuu Kornin–Graubardin rajaan.",
        "sv": f"Vid andelarna 0 och 100{NBSP}% går strecket till Korn–Graubards gräns.",
        "en": "At 0 and 100% the line ends at the Korn–Graubard bound.",
    }[language]


def group_bases_vary(language: str) -> str:
    return {
        "fi": "n on ryhmän suurin vastaajamäärä; tarkat määrät ovat taulukossa.",
        "sv": "n är gruppens största antal svarande; de exakta antalen finns i tabellen.",
        "en": "n is the group’s largest number of answers; the table has the exact ones.",
    }[language]


def bar_ends(language: str) -> str:
    return {
        "fi": "Palkin päissä on kummankin puolen summa.",
        "sv": "I stapelns ändar står summan för vardera sidan.",
        "en": "The figures at the ends of a bar are the totals of its two sides.",
    }[language]


def middle_apart(level: str, language: str) -> str:
    name = quoted(level, language)
    return {
        "fi": f"Keskimmäinen vastaus {name} ei ole mukana summissa.",
        "sv": f"Mellansvaret {name} ingår inte i summorna.",
        "en": f"The middle answer {name} is in neither total.",
    }[language]


def stage(place: int, language: str) -> str:
    """Return the name of a stage whose statement is another in every row."""
    return {"fi": f"Vaihe {place}", "sv": f"Stadium {place}", "en": f"Stage {place}"}[language]


def unrounded(language: str) -> str:
    return {
        "fi": "Summat on laskettu pyöristämättömistä luvuista.",
        "sv": "Summorna är beräknade på oavrundade tal.",
        "en": "Totals are computed from unrounded shares.",
    }[language]


def rounding(language: str) -> str:
    return {
        "fi": "Pyöristyksen vuoksi luvut eivät aina summaudu sataan.",
        "sv": "På grund av avrundningen blir summan inte alltid 100.",
        "en": "Because of rounding, figures do not always add up to 100.",
    }[language]


def unlabelled(share: float, language: str) -> str:
    limit = percent(share, language)
    return {
        "fi": f"Alle {limit}:n osuuksia ei ole numeroitu.",
        "sv": f"Andelar under {limit} visas utan siffra.",
        "en": f"Shares under {limit} are not labelled.",
    }[language]


def order(level: str, language: str) -> str:
    name = quoted(level, language)
    return {
        "fi": f"Järjestys osuuden {name} mukaan.",
        "sv": f"Ordnat efter andelen {name}.",
        "en": f"Sorted by the share of {name}.",
    }[language]


def extremes(
    what: str, largest: tuple[str, float], smallest: tuple[str, float], n: Sequence[int], language: str
) -> str:
    """Return, for the alt text, where a share is largest and smallest among all respondents."""
    of = base_range(min(n), max(n), language)
    name = quoted(what, language)
    (most, high), (least, low) = [(label, percent(share, language)) for label, share in (largest, smallest)]
    return {
        "fi": f"Kaikista vastaajista ({of}) osuus {name} on suurin rivillä {most} ({high}), "
        f"pienin rivillä {least} ({low}).",
        "sv": f"Av alla svarande ({of}) är andelen {name} störst för {most} ({high}), minst för {least} ({low}).",
        "en": f"Among all respondents ({of}) the share {name} is largest for {most} ({high}), "
        f"smallest for {least} ({low}).",
    }[language]


def range_of_totals(largest: tuple[str, float], smallest: tuple[str, float], n: Sequence[int], language: str) -> str:
    """Return, for the alt text, the options with the largest and the smallest share of all respondents."""
    of = base_range(min(n), max(n), language)
    (most, high), (least, low) = [(label, percent(share, language)) for label, share in (largest, smallest)]
    return {
        "fi": f"Kaikista vastaajista ({of}) suurin osuus: {most} {high}, pienin: {least} {low}.",
        "sv": f"Största andelen av alla svarande ({of}): {most} {high}, minsta: {least} {low}.",
        "en": f"Among all respondents ({of}) the largest share: {most} {high}, the smallest: {least} {low}.",
    }[language]


def only(what: str, label: str, share: float, n: int, language: str) -> str:
    """Return, for the alt text, the one share that is shown."""
    name, figure, of = quoted(what, language), percent(share, language), base(n, language)
    return {
        "fi": f"Kaikista vastaajista ({of}) osuus {name} on {figure} rivillä {label}.",
        "sv": f"Av alla svarande ({of}) är andelen {name} {figure} för {label}.",
        "en": f"Among all respondents ({of}) the share {name} is {figure} for {label}.",
    }[language]


def spread(option: str, low: tuple[str, str, int], high: tuple[str, str, int], language: str) -> str:
    """Return, for the alt text, the option on which the groups lie farthest apart, without calling it a finding."""
    groups = f" {EN_DASH} ".join(f"{group} {figure} ({base(n, language)})" for group, figure, n in (low, high))
    return {
        "fi": f"Ryhmien vaihteluväli on levein kohdassa {option}: {groups}.",
        "sv": f"Spridningen mellan grupperna är störst för {option}: {groups}.",
        "en": f"Groups range most widely for {option}: {groups}.",
    }[language]


def small_groups(names: Sequence[str], small_base: int, language: str) -> str:
    """Return, for the alt text, which groups are hollow; their number where the names would fill it."""
    which = ", ".join(names) if len(names) <= 2 else str(len(names))
    return {
        "fi": f"Alle {small_base}{NBSP}vastaajan ryhmiä: {which}.",
        "sv": f"Grupper med färre än {small_base}{NBSP}svarande: {which}.",
        "en": f"Groups with fewer than {small_base}{NBSP}respondents: {which}.",
    }[language]


def hidden_groups(count: int, language: str) -> str:
    """Return, for the alt text, how many groups' results aren't shown."""
    return {
        "fi": f"Ryhmiä, joiden tulosta ei näytetä: {count}.",
        "sv": f"Grupper vars resultat inte visas: {count}.",
        "en": f"Groups whose results are not shown: {count}.",
    }[language]


def nothing_shown(language: str) -> str:
    return {
        "fi": "Yhtään osuutta ei näytetä, koska vastaajia tai organisaatioita on liian vähän.",
        "sv": "Ingen andel visas, eftersom de svarande eller organisationerna är för få.",
        "en": "No share is shown, because there are too few respondents or organisations.",
    }[language]


def table_beside(language: str) -> str:
    return {
        "fi": "Kaikki luvut ovat kuvion taulukossa.",
        "sv": "Alla siffror finns i diagrammets tabell.",
        "en": "All figures are in the chart’s table.",
    }[language]


COLUMNS = {
    "fi": {
        "group": "Ryhmä",
        "option": "Vaihtoehto",
        "share": "Osuus (%)",
        "wave": "Kierros",
        "question": "Kysymys",
        "mean": "Keskiarvo",
        "mean_low": "Luottamusvälin alaraja",
        "mean_high": "Luottamusvälin yläraja",
        "low": "Luottamusvälin alaraja (%)",
        "high": "Luottamusvälin yläraja (%)",
        "change": "Muutos (%-yks.)",
        "change_low": "Muutoksen alaraja (%-yks.)",
        "change_high": "Muutoksen yläraja (%-yks.)",
        "combination": "Yhdistelmä",
        "count": "Lukumäärä",
        "n": "Vastaajia",
        "organisations": "Organisaatioita",
        "mark": "Merkintä",
        "data": "Aineisto",
        "source": "Lähde",
    },
    "sv": {
        "group": "Grupp",
        "option": "Alternativ",
        "share": "Andel (%)",
        "wave": "Omgång",
        "question": "Fråga",
        "mean": "Medelvärde",
        "mean_low": "Konfidensintervallets nedre gräns",
        "mean_high": "Konfidensintervallets övre gräns",
        "low": "Konfidensintervallets nedre gräns (%)",
        "high": "Konfidensintervallets övre gräns (%)",
        "change": "Ändring (%-enh.)",
        "change_low": "Ändringens nedre gräns (%-enh.)",
        "change_high": "Ändringens övre gräns (%-enh.)",
        "combination": "Kombination",
        "count": "Antal",
        "n": "Svarande",
        "organisations": "Organisationer",
        "mark": "Anmärkning",
        "data": "Material",
        "source": "Källa",
    },
    "en": {
        "group": "Group",
        "option": "Option",
        "share": "Share (%)",
        "wave": "Wave",
        "question": "Question",
        "mean": "Mean",
        "mean_low": "Lower limit of the interval",
        "mean_high": "Upper limit of the interval",
        "low": "Lower limit of the interval (%)",
        "high": "Upper limit of the interval (%)",
        "change": "Change (pp)",
        "change_low": "Lower limit of the change (pp)",
        "change_high": "Upper limit of the change (pp)",
        "combination": "Combination",
        "count": "Count",
        "n": "Respondents",
        "organisations": "Organisations",
        "mark": "Mark",
        "data": "Data",
        "source": "Source",
    },
}
"""Headings of the data table, by language and column."""

_SMALL = {"fi": "pieni ryhmä", "sv": "liten grupp", "en": "small group"}
_NOT_SHOWN = {"fi": "ei näytetä", "sv": "visas inte", "en": "not shown"}


def mark(*, hidden: bool, small: bool, language: str) -> str:
    """Return what a row of the data table is marked with, if anything."""
    if hidden:
        return _NOT_SHOWN[language]
    return _SMALL[language] if small else ""


_WEIGHTING = {
    "synthetic": {
        "fi": {"none": "Synteettinen aineisto, painottamaton."},
        "sv": {"none": "Syntetiskt material, oviktat."},
        "en": {"none": "Synthetic data, unweighted."},
    },
    "demonstration": {
        "fi": {"none": "Esittelyaineisto, painottamaton."},
        "sv": {"none": "Demonstrationsmaterial, oviktat."},
        "en": {"none": "Demonstration data, unweighted."},
    },
    "real": {
        "fi": {"none": "Painottamaton aineisto."},
        "sv": {"none": "Oviktat material."},
        "en": {"none": "Unweighted data."},
    },
}
_RELEASE = {
    "fi": {"research": "Tutkijan luvut."},
    "sv": {"research": "Forskarens siffror."},
    "en": {"research": "Research figures."},
}


def _kind(provenance: Provenance) -> str:
    if provenance.synthetic:
        return "synthetic"
    return "demonstration" if provenance.demonstration else "real"


def _answering(provenance: Provenance, language: str) -> str:
    if not (provenance.first_completed and provenance.last_completed):
        return ""
    days = wording.period(_day(provenance.first_completed), _day(provenance.last_completed), language)
    return {
        "fi": f"Vastaukset saatu {days}.",
        "sv": f"Svaren insamlade {days}.",
        "en": f"Answers collected {days}.",
    }[language]


def _day(moment: str) -> Date:
    return datetime.fromisoformat(moment).date()
