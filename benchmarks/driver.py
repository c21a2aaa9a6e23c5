"""Respondents over real HTTP, many at once: fills in the reduced interview and tells how long every request took.

Runs as a process of its own, so that its work is not counted as the server's. It knows no
application: it posts to whatever form the page shows the hidden fields of that form, and its
answers to the questions the form asks. Plain sockets, because a full client costs as much as the server.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from urllib.parse import urlencode, urljoin, urlsplit

TYPES = ("COMP", "PUBC", "COOP", "MUNI", "JMA", "STATE", "OPUB")
ROLES = ("TOP", "MID", "CTRL", "EXP", "OTH")
MODES = ("PROD", "DEV", "CUST", "PUB")
LEVELS = ("NOT", "SOME", "CLEAR", "CENTRAL")


@dataclass
class Tally:
    """What one respondent after another has done: seconds per request, and the answers that were acknowledged."""

    seconds: list[float] = field(default_factory=list)
    bytes: int = 0
    acknowledged: list[dict[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where the interview starts")
    parser.add_argument("--respondents", type=int, default=1, help="at once")
    parser.add_argument("--interviews", type=int, default=100, help="in all")
    parser.add_argument("--run", default="0", help="marks the free texts, so that they can be found in the database")
    args = parser.parse_args()
    print(json.dumps(drive(args.url, args.respondents, args.interviews, args.run)))


def drive(url: str, respondents: int, interviews: int, run: str) -> dict[str, object]:
    """Return counts, wall seconds, latencies and acknowledged answers of *interviews* by so many *respondents*."""
    numbers = count()
    tallies = [Tally() for _ in range(respondents)]
    lock = threading.Lock()

    def mine() -> Iterator[int]:
        while True:
            with lock:
                number = next(numbers)
            if number >= interviews:
                return
            yield number

    def respond(tally: Tally) -> None:
        for number in mine():
            try:
                interview(url, answers_of(run, number), tally)
            except (OSError, ValueError) as fault:
                tally.errors.append(f"{type(fault).__name__}: {fault}")

    threads = [threading.Thread(target=respond, args=(tally,)) for tally in tallies]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - began
    return {
        "wall": wall,
        "interviews": sum(len(tally.acknowledged) for tally in tallies),
        "seconds": [round(s, 6) for tally in tallies for s in tally.seconds],
        "bytes": sum(tally.bytes for tally in tallies),
        "acknowledged": [answers for tally in tallies for answers in tally.acknowledged],
        "errors": [error for tally in tallies for error in tally.errors],
    }


def answers_of(run: str, number: int) -> dict[str, str]:
    """Return the answers of respondent *number*; the free text is unique and finds them again in the database."""
    chance = Random(f"{run}/{number}")
    return {
        "BG10": chance.choice(TYPES),
        "BG01": chance.choice(ROLES),
        **{f"OM_B02_{mode}": chance.choice(LEVELS) for mode in MODES},
        "OM_F01": f"run {run} respondent {number}: tuotanto, kehitys, palvelu ja hallinto — ”yhdessä”",
    }


def interview(url: str, answers: dict[str, str], tally: Tally) -> None:
    """Answer everything from the first page to the thank-you, as a new respondent with a new connection."""
    with Connection(url, tally) as connection:
        address, page = connection.get(urlsplit(url).path)
        posted: dict[str, str] = {}
        while (form := the_form(page)) is not None:
            action, hidden, names = form
            given = {name: answers[name] for name in names if name in answers}
            posted |= given
            address, page = connection.post(urljoin(address, action), {**hidden, **given})
        if posted != answers:
            raise ValueError(f"the interview ended at {address} without asking {sorted(set(answers) - set(posted))}")
        tally.acknowledged.append(answers)


_FORM = re.compile(rb'<form[^>]*method="post"[^>]*>.*?</form>', re.S | re.I)
_ACTION = re.compile(rb'<form[^>]*?action="([^"]*)"')
_FIELD = re.compile(rb"<(?:input|textarea|button|select)\b[^>]*>")
_ATTRIBUTE = re.compile(rb'\b(name|type|value)="([^"]*)"')


def the_form(page: bytes) -> tuple[str, dict[str, str], set[str]] | None:
    """Return the action, the hidden fields and the names of the other fields of the page's form; None if none."""
    forms = _FORM.findall(page)
    if not forms:
        return None
    form = max(forms, key=len)
    action = _ACTION.search(form)
    hidden: dict[str, str] = {}
    names: set[str] = set()
    for tag in _FIELD.findall(form):
        attributes = {key.decode(): value.decode() for key, value in _ATTRIBUTE.findall(tag)}
        name = attributes.get("name")
        if name is None:
            continue
        if attributes.get("type") == "hidden":
            hidden[name] = attributes.get("value", "")
        else:
            names.add(name)
    return (action.group(1).decode() if action else ""), hidden, names


class Connection:
    """One keep-alive connection with its cookies; a request is timed from first byte sent to last byte received."""

    def __init__(self, url: str, tally: Tally):
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self.host = f"{parts.hostname}:{parts.port}"
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.cookies: dict[str, str] = {}
        self.tally = tally

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def get(self, path: str) -> tuple[str, bytes]:
        """Return the address and the page, after redirects."""
        status, location, body = self._exchange("GET", path, b"")
        return self._followed(path, status, location, body)

    def post(self, path: str, fields: dict[str, str]) -> tuple[str, bytes]:
        """Return the address and the page after the redirect that acknowledges the post."""
        status, location, body = self._exchange("POST", path, urlencode(fields).encode())
        if status not in (302, 303):
            raise ValueError(f"POST {path} was answered with {status}, not with a redirect")
        return self._followed(path, status, location, body)

    def _followed(self, path: str, status: int, location: str, body: bytes) -> tuple[str, bytes]:
        while status in (302, 303, 307):
            parts = urlsplit(urljoin(path, location))
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            status, location, body = self._exchange("GET", path, b"")
        if status != 200:
            raise ValueError(f"GET {path} was answered with {status}")
        return path, body

    def _exchange(self, method: str, path: str, body: bytes) -> tuple[int, str, bytes]:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", "Accept: text/html", "Accept-Language: fi"]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if method == "POST":
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
            lines += [f"Origin: http://{self.host}", f"Referer: http://{self.host}{path}"]
        message = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        began = time.perf_counter()
        self.socket.sendall(message)
        status, headers, answer = self._received()
        self.tally.seconds.append(time.perf_counter() - began)
        self.tally.bytes += len(answer)
        for cookie in headers.get("set-cookie", ()):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return status, headers.get("location", [""])[0], answer

    def _received(self) -> tuple[int, dict[str, list[str]], bytes]:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        lines = received[:end].decode("latin-1").split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        body = received[end + 4 :]
        if "chunked" in headers.get("transfer-encoding", []):
            return int(lines[0].split()[1]), headers, self._chunks(body)
        length = int(headers.get("content-length", ["0"])[0])
        parts = [body]
        missing = length - len(body)
        while missing > 0:
            parts.append(self._more())
            missing -= len(parts[-1])
        return int(lines[0].split()[1]), headers, b"".join(parts)

    def _chunks(self, received: bytes) -> bytes:
        body = b""
        while True:
            while (end := received.find(b"\r\n")) < 0:
                received += self._more()
            size = int(received[:end].split(b";")[0], 16)
            while len(received) < end + 2 + size + 2:
                received += self._more()
            if size == 0:
                return body
            body += received[end + 2 : end + 2 + size]
            received = received[end + 2 + size + 2 :]

    def _more(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise OSError("the server closed the connection")
        return data


if __name__ == "__main__":
    main()
