"""PDF by Typst: a template of ours, and what others wrote as data that is never read as markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kysely.errors import KyselyError

FONTS = Path(__file__).parent / "fonts"


class NotSet(KyselyError):
    """The document can't be set; says why."""


def pdf(template: Path, document: Mapping[str, Any]) -> bytes:
    """Return the PDF that *template* makes of *document*, which it reads as JSON from `sys.inputs.document`.

    It is tagged for PDF/UA-1 and set in the repository's fonts alone; the same document gives the same bytes.
    """
    import typst

    try:
        return typst.compile(
            str(template),
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            sys_inputs={"document": json.dumps(document, ensure_ascii=False)},
            format="pdf",
            pdf_standards="ua-1",
            timestamp=0,  # the moment of setting would be the only thing that differs
        )
    except typst.TypstError as error:
        raise NotSet(str(error).splitlines()[0]) from None
