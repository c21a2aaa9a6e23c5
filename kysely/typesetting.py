"""PDF by Typst: a template of ours, and what others wrote as data that is never read as markup."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

from kysely.errors import KyselyError

FONTS = Path(__file__).parent / "fonts"


class NotSet(KyselyError):
    """The document can't be set; says why."""


def pdf(template: Path, document: Mapping[str, Any]) -> bytes:
    """Return the PDF that *template* makes of *document*, which it reads as JSON from `sys.inputs.document`.

    It is tagged for PDF/UA-1 and set in the repository's fonts alone; the same document gives the same bytes.

    Raises NotSet.
    """
    # In a process that ends with it: Typst's threads stay for as long as a process, and one that parts later
    # (analysis.parallel) inherits locks that they held and waits for ever.
    with ProcessPoolExecutor(1, mp_context=_apart()) as process, warnings.catch_warnings():
        # Python from 3.12 on warns of threads at a fork. They are numpy's own, which wait for work.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        return process.submit(_set, str(template), json.dumps(document, ensure_ascii=False)).result()


def _apart() -> BaseContext:
    return get_context("fork" if sys.platform == "linux" else "spawn")


def _set(template: str, document: str) -> bytes:
    import typst

    try:
        return typst.compile(
            template,
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            sys_inputs={"document": document},
            format="pdf",
            pdf_standards="ua-1",
            timestamp=0,  # the moment of setting would be the only thing that differs
        )
    except typst.TypstError as error:
        raise NotSet(str(error).splitlines()[0]) from None
