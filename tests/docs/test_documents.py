"""The documents keep their promises: links lead somewhere, commands exist, terms have their translations."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
DOCUMENTS = sorted(name for name in TRACKED if name.endswith(".md"))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def headings(text: str) -> set[str]:
    """The anchors that a heading of a Markdown page answers to."""
    words = (line.lstrip("#").strip().lower() for line in text.splitlines() if line.startswith("#"))
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in words}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_within_the_project_leads_somewhere(document):
    page = ROOT / document
    for target in LINK.findall(page.read_text(encoding="utf8")):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name) if name else page
        assert there.exists(), f"{document} links to {target}, which is not there"
        if anchor:
            assert anchor in headings(there.read_text(encoding="utf8")), f"{document}: no heading for {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_command_that_a_document_names_exists(document):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf8"), flags=re.M))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", (ROOT / document).read_text(encoding="utf8"), flags=re.M))
    assert named <= targets, f"{document} names {sorted(named - targets)}"


def test_every_term_of_the_glossary_stands_in_three_languages_and_in_order():
    rows = [line for line in (ROOT / "GLOSSARY.md").read_text(encoding="utf8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]
    assert len(cells) > 40
    for row in cells:
        assert len(row) == 4 and all(row), f"incomplete: {row}"
    terms = [row[0].lower() for row in cells]
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)


def test_decisions_are_numbered_and_say_context_decision_and_consequences():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert numbers == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text(encoding="utf8")
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in text, f"{page.name} lacks {part}"


def test_every_dependency_has_its_line_of_reason():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf8"))["project"]
    wanted = project["dependencies"] + [name for group in project["optional-dependencies"].values() for name in group]
    named = {re.split(r"[\[><=]", requirement)[0] for requirement in wanted}
    fixed_by_the_owner = {"flask", "sqlmodel", "wtforms", "statsmodels", "seaborn", "pytest"}
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text(encoding="utf8")
    reasons = {name.strip() for row in re.findall(r"^\| ([\w., -]+?) \|", page, flags=re.M) for name in row.split(",")}
    assert named - fixed_by_the_owner == reasons - {"package"}


def test_no_committed_text_holds_a_path_of_one_machine():
    path = re.compile("(?<![\\w.$}>-])/(?:" + "|".join(("tmp", "work", "root", "home")) + ")/\\w")
    for name in TRACKED:
        file = ROOT / name
        if not name or not file.is_file() or file.suffix in {".ttf", ".woff2", ".png", ".parquet", ".lock"}:
            continue
        for number, line in enumerate(file.read_text(encoding="utf8").splitlines(), 1):
            assert not path.search(line), f"{name}:{number} {line.strip()}"
