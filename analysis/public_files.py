"""The files of what is public: build/<instrument>/public/, made of nothing but the ledger.

A file a publication, whose content never changes (kysely-snapshot/1: the rounded snapshot, codes only), an index of
those that are shown (kysely-public/1), and what the respondent's feedback compares with (kysely/snapshots.py). As
everything in them stands in the ledger, whatever a crash left out is written by the next run, and a file that
somebody changed is written anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.ledger import Entry, LedgerError
from analysis.plan import Plan
from kysely.codebook import Codebook

SNAPSHOT, INDEX = "kysely-snapshot/1", "kysely-public/1"
PEERS = "kysely-peers/1"
"""The format of feedback.json; kysely/snapshots.py tells its shape and reads it."""


@dataclass(frozen=True)
class Mended:
    """What the folder lacked, or had otherwise than the ledger, before it was written: names of files."""

    written: tuple[str, ...]
    removed: tuple[str, ...]


def mirror(
    folder: Path, entries: Sequence[Entry], plan: Plan, codebook: Codebook, *, instrument: str, synthetic: bool
) -> Mended:
    """Let *folder* show what the ledger's *entries* say is shown, and nothing else.

    Raises LedgerError if there are publications that the ledger does not know, but for simulated ones where these
    are real: those go.
    """
    _refuse_strangers(folder, entries, synthetic)
    about = {"release": "public", "instrument": instrument, "synthetic": synthetic}
    live = [one for one in entries if one.retired_at is None]
    files: dict[str, Any] = {f"{one.id}.json": {"format": SNAPSHOT, **about, **snapshot(one)} for one in live}
    files["index.json"] = {"format": INDEX, **about, **index(entries)}
    if (told := feedback(live, plan, codebook)) is not None:
        files["feedback.json"] = {"format": PEERS, **about, **told}
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: json.dumps(content, ensure_ascii=False, indent=1) + "\n" for name, content in files.items()}
    # The index comes last: it never names a file that is not there yet.
    written = [
        name for name in sorted(texts, key=lambda name: name == "index.json") if _write(folder / name, texts[name])
    ]
    removed = [file for file in sorted(folder.glob("*.json")) if file.name not in texts]
    for file in removed:
        file.unlink()
    return Mended(tuple(written), tuple(file.name for file in removed))


def snapshot(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "published_at": entry.published_at, **entry.snapshot}


def index(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the list of what is shown, in the order of publishing, and what is retired."""
    live = [one for one in entries if one.retired_at is None]
    newest = {(*one.chart, tuple(one.snapshot["categories"])): one.id for one in live}
    shown = [
        {
            "id": one.id,
            "file": f"{one.id}.json",
            "question": one.question,
            "classification": one.classification,
            "dataset": one.dataset,
            "published_at": one.published_at,
            "newest": one.id in newest.values(),
            "overridden": bool(one.overridden),
        }
        for one in live
    ]
    gone = [one for one in entries if one.retired_at is not None]
    retired = [{"id": one.id, "question": one.question, "retired_at": one.retired_at} for one in gone]
    return {"publications": shown, "retired": retired}


def feedback(live: Sequence[Entry], plan: Plan, codebook: Codebook) -> dict[str, Any] | None:
    """Return what respondents may compare their answers with, of the newest publications that fit; None without."""
    asked = plan.public.feedback
    if asked is None:
        return None
    modes = []
    for variable in codebook.set(asked.levels):
        fitting = [one for one in live if one.question == variable.name and _compares(one, asked.category, asked.by)]
        if fitting:
            modes.append(_mode(variable.code or variable.name, fitting[-1], asked.category))
    if not modes:
        return None
    return {
        "dataset": max(mode["dataset"] for mode in modes),
        "published_at": max(mode["published_at"] for mode in modes),
        "category": asked.category,
        "classification": _grouping(plan, codebook, asked.by) if asked.by else None,
        "modes": modes,
    }


def _refuse_strangers(folder: Path, entries: Sequence[Entry], synthetic: bool) -> None:
    known = {one.id for one in entries}
    for file in sorted(folder.glob("*.json")):
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if not isinstance(content, dict) or content.get("format") != SNAPSHOT:
            continue
        strange = content.get("id") not in known
        # Simulated publications make room for real ones; real ones for nothing.
        if strange and not (content.get("synthetic") is True and not synthetic):
            cure = "; or, as robots answered, remove the folder and publish anew" if content.get("synthetic") else ""
            raise LedgerError(
                f"{file} was published, and the ledger does not know it: without it nothing can be tested against "
                f"what is public. Restore the ledger from a backup{cure}."
            )


def _write(file: Path, text: str) -> bool:
    """Write *text* unless the file holds it already, whole or not at all; return whether it was written."""
    if file.is_file() and file.read_bytes() == text.encode():
        return False
    draft = file.with_name(f".{file.name}.draft")
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, file)
    return True


def _compares(entry: Entry, category: str, by: str | None) -> bool:
    categories = tuple(entry.snapshot["categories"])
    return len(categories) == 2 and category in categories and entry.classification in (None, by)


def _mode(code: str, entry: Entry, category: str) -> dict[str, Any]:
    shown = entry.snapshot
    return {
        "code": code,
        "variable": entry.question,
        "dataset": int(entry.dataset),
        "published_at": entry.published_at[:10],
        "publication": entry.id,
        "all": _share(shown["total"], category),
        "groups": {row["group"]: _share(row, category) for row in shown["groups"]},
    }


def _share(row: Mapping[str, Any], category: str) -> dict[str, Any]:
    """Return the share of *category* of a row; where the other of the two is over 90 %, it is under 10 %."""
    own = next((figure for figure in row["figures"] if figure["category"] == category), None)
    percent, bound = (own["value"], own["bound"]) if own else (100 - row["figures"][0]["value"], "under")
    return {"percent": int(percent), "bound": bound, "n_low": row["n_low"], "n_high": row["n_high"]}


def _grouping(plan: Plan, codebook: Codebook, by: str) -> dict[str, Any]:
    recode = plan.recode.get(by)
    if recode is None:
        return {"name": by, "variable": by, "groups": {one.code: [one.code] for one in codebook[by].categories}}
    return {"name": by, "variable": recode.source, "groups": {one.code: list(one.codes) for one in recode.categories}}
