"""Text broken into lines: at spaces and hyphens, at soft hyphens where that saves a line, and never by luck."""

from __future__ import annotations

import re
from bisect import bisect_right

from analysis.charts._fonts import width
from analysis.wording import SOFT_HYPHEN


def wrapped(text: str, limit: float, size: float, weight: str = "Regular", *, indent: float = 0) -> list[str]:
    """Return *text* in lines of at most *limit* pixels, the first one *indent* pixels shorter.

    Breaks at spaces and after hyphens; at a soft hyphen only where that saves a line or a word would
    not fit at all. A word without any break is cut: cut text is seen and mended, lost text is not.
    """
    hyphenated = _filled(text, limit, size, weight, indent)
    if SOFT_HYPHEN not in text:
        return hyphenated
    unbroken = text.replace(SOFT_HYPHEN, "")
    whole = _filled(unbroken, limit, size, weight, indent)
    fits = all(width(piece.rstrip(" "), size, weight) <= limit for piece in _pieces(unbroken))
    return whole if fits and len(whole) <= len(hyphenated) else hyphenated


def balanced(text: str, limit: float, size: float, weight: str) -> list[str]:
    """Return *text* wrapped into lines of similar length, so that no word stands alone on the last one."""
    best = wrapped(text, limit, size, weight)
    whole = text.replace(SOFT_HYPHEN, "")
    text = whole if len(wrapped(whole, limit, size, weight)) == len(best) else text
    for step in range(1, 25):
        lines = wrapped(text, limit * (1 - 0.02 * step), size, weight)
        if len(lines) > len(best):
            break
        best = lines
    return best


def without_orphan(text: str, limit: float, size: float, weight: str = "Regular") -> list[str]:
    """Return *text* wrapped so that the last line is no mere word or two, if that costs no further line."""
    first = lines = wrapped(text, limit, size, weight)
    narrower = limit
    while len(lines) > 1 and width(lines[-1], size, weight) < limit / 4:
        narrower -= limit / 50
        lines = wrapped(text, narrower, size, weight)
        if len(lines) > len(first):
            return first
    return lines


def _filled(text: str, limit: float, size: float, weight: str, indent: float) -> list[str]:
    lines: list[str] = []
    line = ""
    pieces = _pieces(text)[::-1]
    while pieces:
        room = limit if lines else limit - indent
        piece = pieces.pop()
        if width(_ended(line + piece), size, weight) <= room:
            line += piece
        elif line:
            lines.append(_ended(line))
            line = ""
            pieces.append(piece)
        else:
            head = _longest_head(piece, room, size, weight)
            rest = piece[len(head) :]
            lines.append(_ended(head + SOFT_HYPHEN if head[-1:].isalpha() and rest[:1].isalpha() else head))
            if rest:
                pieces.append(rest)
    return lines + [_ended(line)] if line else lines


def _pieces(text: str) -> list[str]:
    """Cut *text* after each place where a line may end; the mark that allows it stays with its piece."""
    return [piece for piece in re.split(rf"(?<= )|(?<={SOFT_HYPHEN})|(?<=\w-)(?=\w)", text) if piece]


def _ended(line: str) -> str:
    """Return *line* as it looks when it ends here: a soft hyphen shows only at the end."""
    line = line.rstrip(" ")
    return line.replace(SOFT_HYPHEN, "") + ("-" if line.endswith(SOFT_HYPHEN) else "")


def _longest_head(piece: str, room: float, size: float, weight: str) -> str:
    """Return as much of a word as fits with a hyphen, leaving at least three letters for the next line.

    It ends before a consonant and a vowel where there are such, which is where Finnish syllables part.
    """
    word = piece.rstrip(" ")
    lengths = range(1, len(word) + 1)
    fitting = bisect_right(lengths, room, key=lambda length: width(word[:length] + "-", size, weight))
    longest = max(1, min(fitting, len(word) - 3))
    syllables = [
        at for at in range(3, longest + 1) if re.match(r"[^\W\daeiouyåäö][aeiouyåäö]", word[at:], re.IGNORECASE)
    ]
    return piece[: max(syllables, default=longest)]
