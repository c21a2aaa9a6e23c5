"""A chart as analysis leaves it in build/: all of its files and the manifest that names them."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from kysely.finished import KINDS

TITLES = {
    "fi": "Organisaation toimintatapa",
    "sv": "Organisationens verksamhetssätt",
    "en": "The organisation’s way of operating",
}


def leave(build: Path, id: str = "OM_FIG01", *, language: str = "fi", release: str = "research", **told: Any) -> Path:
    """Write the files of one chart and return its manifest, which tells *told* instead of what it would."""
    folder = build / "operating_mode" / "charts" / language
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for kind in (*KINDS, "report.svg"):
        content = _content(kind, f"{id}, {language}, {release}").encode()
        (folder / f"{id}.{kind}").write_bytes(content)
        files[kind] = {"name": f"{id}.{kind}", "bytes": len(content), "sha256": sha256(content).hexdigest()}
    manifest = folder / f"{id}.json"
    about = {
        "format": "kysely-chart/1",
        "id": id,
        "language": language,
        "kicker": "SYNTEETTINEN ESIMERKKI – EI TUTKIMUSTULOS",
        "title": "Asiakaspalvelu <keskellä>",
        "subtitle": "Osuus vastaajista, %",
        "alt": "Pylväät: asiakaspalvelu 47 prosenttia.",
        "base": "360 vastaajaa 269 organisaatiosta.",
        "source": "Organisaation toimintatapa, simulated-2015.",
        "looks": {
            "wide": {"width": 720, "height": 430, "note": "Summat on laskettu pyöristämättömistä luvuista."},
            "narrow": {"width": 400, "height": 610, "note": "Ontto merkki: alle 30 vastaajaa."},
            "report": {"width": 720, "height": 300, "note": ""},
        },
        "synthetic": True,
        "table": {
            "columns": ["Toimintatapa", "Keskeinen, %", "Merkintä", "Aineisto"],
            "rows": [["Asiakaspalvelulähtöinen", "47,1", "", "SYNTEETTINEN ESIMERKKI – EI TUTKIMUSTULOS"]],
        },
        "files": files,
        "provenance": {"title": TITLES, "release": release, "extract_sha256": "15a4" * 16},
    }
    manifest.write_text(json.dumps({**about, **told}), encoding="utf-8")
    return manifest


def _content(kind: str, which: str) -> str:
    if kind.endswith("svg"):
        width, height = (400, 610) if kind == "narrow.svg" else (720, 430)
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"><title>{which}</title></svg>'
    return f"<figure>{which}</figure>\n" if kind == "html" else f"{kind} of {which}"
