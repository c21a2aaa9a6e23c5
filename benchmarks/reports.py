"""The study as a PDF, against Typst's bare compile of the same pages: `python -m benchmarks.reports`.

The bare side is the same document as the Typst source that somebody would type for it: plain headings, paragraphs and
tables of plain cells with the same widths, on the same paper, in the same fonts, tagged to the same standard; nothing
is looked up, chosen or coloured. Each side runs in a process of its own, because Typst remembers what it has set.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.analysis import COMMANDS, INSTRUMENT, ROOT, environment_in
from benchmarks.machine import heading
from reports import _material, study
from reports.formats import pdf

GOAL = 2.0
LANGUAGE = "fi"

OURS = """
import json, sys, time
from pathlib import Path
from reports import _material, study
from reports.formats import pdf
import matplotlib.ft2font, typst
material = _material.read(Path(sys.argv[1]), Path(sys.argv[2]), "operating_mode")
began = time.perf_counter(), time.process_time()
made = pdf.render(study.build(material, "fi"))
print(json.dumps([time.perf_counter() - began[0], time.process_time() - began[1]]))
Path(sys.argv[3]).write_bytes(made)
"""

BARE = """
import json, sys, time
from pathlib import Path
import typst
began = time.perf_counter(), time.process_time()
made = typst.compile(
    sys.argv[1], font_paths=[sys.argv[2]], ignore_system_fonts=True, pdf_standards="ua-1", timestamp=0
)
print(json.dumps([time.perf_counter() - began[0], time.process_time() - began[1]]))
Path(sys.argv[3]).write_bytes(made)
"""

HEAD = """\
#set document(title: {title})
#set text(font: "Inter", size: 9.5pt, lang: "fi", fallback: false)
#set page(paper: "a4", margin: (x: 20mm, top: 24mm, bottom: 22mm), numbering: "1", header: {title})
#set table(stroke: none, inset: (x: 3.5pt, y: 3.2pt))
#show table: set text(7.5pt)
#outline(depth: 2)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = environment_in(Path(folder))
        for command in COMMANDS[:-1]:
            subprocess.run([sys.executable, "-m", *command.split()], env=environment, check=True, capture_output=True)
        build = Path(folder) / "build"
        source = Path(folder) / "bare.typ"
        source.write_text(typed(_content(build), Path(folder)), encoding="utf-8")
        pages = Path(folder) / "ours.pdf", Path(folder) / "bare.pdf"
        ours = [str(build), str(ROOT / "questionnaires"), str(pages[0])]
        bare = [str(source), str(ROOT / "kysely" / "fonts"), str(pages[1])]
        rounds = [(_took(OURS, ours, environment), _took(BARE, bare, environment)) for _ in range(args.repeats)]
        counts = [_pages(file) for file in pages]
    print(heading("Reports"))
    print(report(rounds, counts))
    return 0


def report(rounds: Sequence[tuple[Sequence[float], Sequence[float]]], pages: Sequence[int]) -> str:
    """Return both sides as medians, and the ratio that the goal is about."""
    lines = ["| | pages | seconds | processor seconds |", "|---|---|---|---|"]
    for side, words in enumerate(("the study as a PDF: document and setting", "Typst's bare compile")):
        wall, cpu = (median(both[side][kind] for both in rounds) for kind in (0, 1))
        lines.append(f"| {words} | {pages[side]} | {wall:.2f} | {cpu:.2f} |")
    wall, cpu = (median(ours[kind] / bare[kind] for ours, bare in rounds) for kind in (0, 1))
    verdict = "met" if wall < GOAL else "**missed**"
    lines += ["", f"Ratio {wall:.2f} by the clock, {cpu:.2f} by processor time; goal under {GOAL}: {verdict}."]
    return "\n".join(lines)


def typed(content: Mapping[str, Any], folder: Path) -> str:
    """Return the pages of *content* as plain Typst; their drawings are put into *folder*."""
    lines = [HEAD.format(title=json.dumps(content["heading"], ensure_ascii=False))]
    lines += [_typed(part, folder) for part in content["opening"]]
    for run in content["runs"]:
        lines.append(f"#set page(flipped: {str(run['wide']).lower()})")
        for section in run["sections"]:
            lines.append(("#pagebreak(weak: true)\n" if section["new_page"] else "") + _heading(section))
            lines += [_typed(part, folder) for part in section["parts"]]
    return "\n\n".join(lines)


def _heading(section: Mapping[str, Any]) -> str:
    return f"{'=' * section['level']} {_text(section['title'])}"


def _typed(part: Mapping[str, Any], folder: Path) -> str:
    match part["kind"]:
        case "bullets":
            return "\n".join(f"- {_text(item)}" for item in part["items"])
        case "facts" | "key_facts":
            return "\n".join(f"/ {_text(name)}: {_text(value)}" for name, value, _ in part["facts"])
        case "formula":
            return _text("".join(part["text"])) + "\n\n" + _text("".join(part["where"]))
        case "table":
            return "\n\n".join((*(_table(part, panel) for panel in part["panels"]), *map(_text, part["notes"])))
        case "chart":
            file = folder / f"drawing{len(list(folder.glob('*.svg')))}.svg"
            file.write_text(part["svg"], encoding="utf-8")
            drawing = f'#image("{file.name}", alt: {json.dumps(part["alt"], ensure_ascii=False)})'
            return "\n\n".join((_text(part["title"]), drawing, _typed(part["table"], folder)))
        case _:
            return _text(part["text"])


def _table(table: Mapping[str, Any], panel: Mapping[str, Any]) -> str:
    widths = ", ".join(f"{width:.1f}pt" for width in panel["widths"])
    sides = ", ".join(("left", *("right" if numeric else "left" for _, numeric, _ in panel["columns"])))
    heads = "".join(f"[{_text(title)}]," for title in (panel["stub"], *(title for title, *_ in panel["columns"])))
    rows = []
    for row in panel["rows"]:
        if isinstance(row, str):
            rows.append(f"table.cell(colspan: {len(panel['widths'])})[{_text(row)}],")
        else:
            rows.append(f"[{_text(row[0])}]," + "".join(f"[{_cell(cell)}]," for cell in row[4]))
    body = "\n".join(rows)
    return (
        f"*{_text(table['caption'])}*\n\n{_text(table['subtitle'])}\n\n"
        f"#table(columns: ({widths},), align: ({sides},), table.header({heads}),\n{body}\n)"
    )


def _cell(cell: Sequence[Any]) -> str:
    words, detail, mark, letters = (*cell, "", "", "")[:4]
    return f"{_text(letters)} {_text(words)}{_text(mark)}" + (f" \\\n#text(6pt)[{_text(detail)}]" if detail else "")


def _text(words: str) -> str:
    return re.sub(r"([\\#$*_@<>\[\]`~/=+\-'\"])", r"\\\1", words)


def _content(build: Path) -> Mapping[str, Any]:
    material = _material.read(build, ROOT / "questionnaires", INSTRUMENT)
    return pdf.content(study.build(material, LANGUAGE))


def _took(code: str, arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    call = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(call, env=environment, check=True, capture_output=True, text=True)
    wall, cpu = json.loads(done.stdout.splitlines()[-1])
    return wall, cpu


def _pages(file: Path) -> int:
    told = subprocess.run(["pdfinfo", str(file)], check=True, capture_output=True, text=True).stdout
    found = re.search(r"^Pages: +(\d+)", told, re.MULTILINE)
    assert found is not None, f"pdfinfo counts no pages in {file}"
    return int(found[1])


if __name__ == "__main__":
    raise SystemExit(main())
