"""Several versions of an instrument as one table: every variable any of them asked, and where each answer goes.

Answers stay what they were. A name that holds something else than it did gets a column of its own; what `maps_to`
says is computed into a further column, beside those it is computed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kysely.codebook import Answer, Category, Codebook, Kind, Missing, Variable, Version
from kysely.instrument import Instrument, Retired

EARLIER, MAPPED = "__was", "__mapped"
"""Ends of names that no author can give: an earlier meaning of a name, and what retired answers count as."""


@dataclass(frozen=True)
class Recode:
    """A column computed from others: the first of *sources* that was asked, its codes read by *codes*."""

    name: str
    sources: tuple[str, ...]
    codes: Mapping[str, str] = field(default_factory=dict)
    together: bool = False
    """Whether the sources are ticks or levels of one thing, of which the highest counts."""

    def value(self, answers: Mapping[str, Answer]) -> Answer:
        given = [answers[source] for source in self.sources]
        values = [value for value in given if not isinstance(value, Missing)]
        if not values:
            return next((one for one in given if one is not Missing.ROUTED_PAST), given[0])
        if self.together:
            return max(value for value in values if not isinstance(value, str))
        return self.codes.get(str(values[0]), values[0])


@dataclass(frozen=True)
class Pool:
    """The columns of several versions: *columns* says for each version and variable which one takes its answers."""

    codebook: Codebook
    columns: Mapping[str, Mapping[str, str]]
    mappings: tuple[Recode, ...]

    def placed(self, version: str, answers: Mapping[str, Answer]) -> dict[str, Answer]:
        """Return the *answers* given on *version* by column; what it did not ask is routed past."""
        found: dict[str, Answer] = dict.fromkeys(self.codebook.by_name, Missing.ROUTED_PAST)
        for name, column in self.columns[version].items():
            found[column] = answers.get(name, Missing.ROUTED_PAST)
        for mapping in self.mappings:
            found[mapping.name] = mapping.value(found)
        return found


def pool(versions: Sequence[Instrument]) -> Pool:
    """Return the pool of *versions*, the newest first; of a single one, its own codebook."""
    newest = versions[0]
    if len(versions) == 1:
        names = newest.codebook.by_name
        return Pool(newest.codebook, {newest.hash: dict(zip(names, names, strict=True))}, ())
    columns: dict[str, Variable] = {}
    places: dict[str, dict[str, str]] = {}
    for version in versions:
        places[version.hash] = {}
        before = None
        for variable in version.codebook.variables:
            name = _column_for(variable, columns)
            if name in columns:
                columns[name] = _merged(columns[name], variable)
            else:
                columns = _inserted(columns, replace(variable, name=name), before)
            places[version.hash][variable.name] = before = name
    mappings = tuple(_mappings(newest, columns))
    variables = [*columns.values()]
    for mapping in mappings:
        variables.append(_mapped(mapping, columns))
    told = tuple(_told(version, columns, places[version.hash]) for version in versions)
    codebook = replace(newest.codebook, variables=tuple(variables), versions=told)
    return Pool(codebook, places, mappings)


def _column_for(variable: Variable, columns: Mapping[str, Variable]) -> str:
    """Return the first column that may take the answers to *variable*: of its name, then of its earlier meanings."""
    number = 1
    name = variable.name
    while name in columns and not _poolable(columns[name], variable):
        name = f"{variable.name}{EARLIER}{number if number > 1 else ''}"
        number += 1
    return name


def _poolable(one: Variable, other: Variable) -> bool:
    """Whether a value of one means the same as that value of the other."""
    if (one.kind, one.closed) != (other.kind, other.closed):
        return False
    if one.kind is Kind.LEVEL:
        codes = {category.value: category.code for category in one.categories}
        return all(codes.get(category.value, category.code) == category.code for category in other.categories)
    values = {category.code: category.value for category in one.categories}
    return all(values.get(category.code, category.value) == category.value for category in other.categories)


def _merged(newer: Variable, older: Variable) -> Variable:
    known = {category.code for category in newer.categories}
    categories = list(newer.categories)
    at = 0
    for category in older.categories:
        if category.code in known:
            at = next(place for place, one in enumerate(categories) if one.code == category.code) + 1
        else:
            categories.insert(at, category)
            at += 1
    values = [category.value for category in categories]
    if newer.kind in (Kind.LEVEL, Kind.ORDINAL) and None not in values:
        categories.sort(key=_value)
    return replace(newer, categories=tuple(categories))


def _value(category: Category) -> float:
    return category.value if category.value is not None else 0


def _inserted(columns: dict[str, Variable], variable: Variable, before: str | None) -> dict[str, Variable]:
    """Return *columns* with *variable* behind the column *before*, in front of all where there is none."""
    found = {variable.name: variable} if before is None else {}
    for name, one in columns.items():
        found[name] = one
        if name == before:
            found[variable.name] = variable
    return found


def _told(version: Instrument, columns: Mapping[str, Variable], places: Mapping[str, str]) -> Version:
    shown = (replace(variable, name=places[variable.name]) for variable in version.codebook.variables)
    meant = {line.question or line.scale or line.score or line.page or line.key or "": line for line in version.changed}
    return Version(
        hash=version.hash,
        revision=version.revision,
        asked=tuple(places.values()),
        shown=tuple(variable for variable in shown if variable != columns[variable.name]),
        changed={
            name: f"{line.code}: {line.was}" if line.code else line.was for name, line in meant.items() if line.was
        },
    )


# What retired answers count as


def _mappings(newest: Instrument, columns: Mapping[str, Variable]) -> Iterator[Recode]:
    """Yield a column for each variable that something retired counts as."""
    codes: dict[str, dict[str, str]] = {}
    sources: dict[str, list[str]] = {}
    lines = {(line.question, line.code): line for line in newest.retired}
    for line in newest.retired:
        goal = _goal(line, lines)
        if goal is None:
            continue
        for name, variable in columns.items():
            if variable.question != line.question or not variable.closed:
                continue
            if line.code is None:
                target = _counterpart(variable, line.question, goal, columns)
                if target is not None:
                    sources.setdefault(target, []).append(name)
            elif variable.code == line.code:
                target = _counterpart(variable, variable.name, None, columns, code=goal)
                if target is not None:
                    sources.setdefault(target, []).append(name)
            elif (
                any(category.code == line.code for category in variable.categories) and variable.kind is not Kind.LEVEL
            ):
                codes.setdefault(name, {})[line.code] = goal
    for target in dict.fromkeys([*sources, *codes]):
        from_all = (target, *sources.get(target, ()))
        read = {code: goal for source in from_all for code, goal in codes.get(source, {}).items()}
        together = columns[target].kind in (Kind.BINARY, Kind.LEVEL)
        yield Recode(f"{target}{MAPPED}", from_all, read, together)


def _goal(line: Retired, lines: Mapping[tuple[str, str | None], Retired]) -> str | None:
    """Return what *line* counts as in the end; the loader has seen to it that no line leads in a circle."""
    goal = line.maps_to
    while goal is not None:
        following = lines.get((goal, None) if line.code is None else (line.question, goal))
        if following is None:
            return goal
        goal = following.maps_to
    return None


def _counterpart(
    variable: Variable, question: str, goal: str | None, columns: Mapping[str, Variable], *, code: str | None = None
) -> str | None:
    """Return the column of the question *goal* that asks what *variable* did, or of its own question for *code*."""
    if goal is None:
        same = (one for one in columns.values() if (one.question, one.set) == (variable.question, variable.set))
        return next((one.name for one in same if one.code == code and one.kind is variable.kind), None)
    named = columns.get(goal + variable.name.removeprefix(question))
    if named is not None and named.kind is variable.kind and named.question == goal:
        return named.name
    of_goal = (one for one in columns.values() if one.question == goal and one.kind is variable.kind)
    return next((one.name for one in of_goal if one.code == variable.code and one.closed), None)


def _mapped(mapping: Recode, columns: Mapping[str, Variable]) -> Variable:
    """Return the computed column's entry: the codes that are left once those of *mapping* are read as others."""
    whole = columns[mapping.sources[0]]
    for source in mapping.sources[1:]:
        whole = _merged(whole, columns[source])
    left = tuple(category for category in whole.categories if category.code not in mapping.codes)
    return replace(whole, name=mapping.name, categories=left, set=None, code=None)
