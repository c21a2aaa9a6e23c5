"""When two respondents mean the same organisation.

The same valid business id, or the same name and municipality once case, blanks, hyphens and punctuation
are set aside. Legal forms count: Esimerkki Oy and Esimerkki ry in one town are two organisations.
Whatever this leaves apart, the register may bring together later; what it brought together wrongly,
nobody could take apart.
"""

from __future__ import annotations

import re
import unicodedata

_HYPHENS = re.compile(r"[\u002d\u2010-\u2015\u2212/]")
_SILENT = re.compile(r"[.,:;!\"'`´’‘”“„«»()\[\]\u00ad\u200b-\u200d\ufeff]")


def key(name: str) -> str:
    """Return *name* as it is compared; "" only for a blank one."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    plain = " ".join(_SILENT.sub("", _HYPHENS.sub(" ", folded)).split())
    return plain or " ".join(folded.split())
