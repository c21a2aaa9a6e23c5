"""What a page of the full operating-mode form weighs on a phone, how much it shifts, and what Lighthouse says of it.

`python -m benchmarks.pages` serves the study, answers it in Chromium on a phone with a slow line, and prints for
every page: its bytes with everything it needs but fonts, how many requests that takes, and the layout shift.
Lighthouse (from the npm registry, by npx) looks at each page in a tab beside it, as the respondent sees it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import BrowserContext, Page, Response, sync_playwright
from werkzeug.datastructures import MultiDict

from benchmarks.contenders import CONTENDERS, HERE, SERVERS, free_port, serving
from benchmarks.machine import heading
from kysely import loading, routing
from kysely.codebook import Answer
from kysely.instrument import Instrument
from kysely.routing import Screen
from tests import chromium
from tests.browser._site import fill

QUESTIONNAIRES = HERE.parent / "questionnaires"
STUDY, FORM = "operating_mode", "full"
SEED = 20
"""With it the robot meets every page; a test says so."""

FIRST_PAGE = 30_000
"""Bytes that the first page may have, compressed, with all assets but fonts."""

LIGHTHOUSE = "lighthouse@13.5.0"
TRIES = 3
"""On a busy machine the browser now and then loses the record of how a page came."""

CATEGORIES = ("performance", "accessibility", "best-practices")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "is_mobile": True, "has_touch": True}
SLOW_LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
"""A slow 4G, as Lighthouse has it: fonts and stylesheet come late enough for a page to shift, if it can."""

CURE = (
    "Lighthouse needs npx, which is not here: install Node.js with npm (Debian: apt-get install npm), "
    "or measure the rest with --without-lighthouse."
)

WATCH = """
  window.shifted = 0;
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.shifted += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
"""


@dataclass(frozen=True)
class Measured:
    """One page: bytes compressed with all assets but fonts, and in fonts; requests; layout shift; its address."""

    place: str
    bytes: int
    fonts: int
    requests: int
    shift: float
    url: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", choices=("fi", "sv", "en"), default="fi")
    parser.add_argument("--without-lighthouse", action="store_true")
    args = parser.parse_args()
    browser_path = chromium.find()
    if browser_path is None:
        sys.exit(chromium.CURE)
    if not args.without_lighthouse and shutil.which("npx") is None:
        sys.exit(CURE)
    with tempfile.TemporaryDirectory() as folder, serving(FULL_FORM, SERVERS["granian"], Path(folder)) as served:
        instrument = loading.load(QUESTIONNAIRES / STUDY, FORM)
        pages, scores = [], []
        port = free_port()
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                Path(folder) / "browser",
                executable_path=browser_path,
                args=["--no-sandbox", f"--remote-debugging-port={port}"],
                **PHONE,
            )
            for page in walk(context, served.url, instrument, args.language, slow=True):
                pages.append(page)
                if not args.without_lighthouse:  # in a tab of the same browser: it sees what the respondent sees
                    scores.append(lighthouse(page.url, port))
                print(page, *scores[-1:], file=sys.stderr, flush=True)
            context.close()
    print(heading("Pages"))
    print(report(pages, scores))
    return 0 if met(pages, scores) else 1


def _open_full_form(folder: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "kysely", "wave", "open", STUDY, "--form", FORM]
    subprocess.run(command, check=True, cwd=folder, env=environment, stdout=subprocess.DEVNULL)


FULL_FORM = replace(
    next(contender for contender in CONTENDERS if contender.name == "kysely"),
    environment=lambda folder: {"KYSELY_INSTANCE": str(folder), "KYSELY_QUESTIONNAIRES": str(QUESTIONNAIRES)},
    prepare=_open_full_form,
    start=lambda url: url,
)


def walk(
    context: BrowserContext, origin: str, instrument: Instrument, language: str, *, slow: bool = False
) -> Iterator[Measured]:
    """Yield every page of an interview, each as somebody sees it who comes to it with an empty cache."""
    context.add_init_script(WATCH)
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.setCacheDisabled", {"cacheDisabled": True})
    if slow:
        line.send("Network.emulateNetworkConditions", SLOW_LINE)
    place, answers = "", {}
    page.goto(f"{origin}/{language}/{instrument.id}/")
    while True:
        yield measured(page, place or "introduction")
        if place == "thank-you":
            break
        if place not in ("", "check-answers"):
            answers |= answered(page, instrument, place, answers)
        with page.expect_navigation():
            page.locator("main form button").first.click()
        place = page.url.split(f"/{instrument.id}/", 1)[1]
    page.close()


def answered(page: Page, instrument: Instrument, place: str, answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """Fill in the page as a robot does, leaving nothing out, and return the answers."""
    id, _, stage = place.partition("/")
    given: dict[str, Answer] = {}
    for question in routing.route(instrument, answers).questions[Screen(id, stage)]:
        needed = replace(question, required="hard") if question.required != "no" else question
        typed = needed.fill(stage, answers, Random(f"{SEED}/{place}"), seed=1)
        fill(page, {name: [text] if isinstance(text, str) else list(text) for name, text in typed.items()})
        given |= {
            name: answer
            for name, answer in question.parse(stage, MultiDict(typed), answers).items()
            if not question.identifies
        }
    return given


def measured(page: Page, place: str) -> Measured:
    """Load the page anew and count what comes; the shift is that until everything has come, fonts too."""
    got: list[str] = []

    def note(response: Response) -> None:
        got.append(response.url)

    page.on("response", note)
    page.reload(wait_until="networkidle")
    page.evaluate("document.fonts.ready")
    page.remove_listener("response", note)
    sizes = [(url.endswith(".woff2"), compressed(page.request.get(url).body(), url)) for url in set(got)]
    return Measured(
        place,
        bytes=sum(size for font, size in sizes if not font),
        fonts=sum(size for font, size in sizes if font),
        requests=len(got),
        shift=page.evaluate("window.shifted"),
        url=page.url,
    )


def compressed(body: bytes, url: str) -> int:
    """Return the bytes of a body as a proxy would send it; a font is as small as it gets."""
    return len(body) if url.endswith(".woff2") else len(gzip.compress(body, 6))


def lighthouse(url: str, port: int) -> dict[str, int]:
    """Return Lighthouse's scores of the page, out of 100; it looks with the browser that listens on *port*."""
    # Playwright brings a Node.js that is new enough for Lighthouse; the system's need not be.
    node = Path(compute_driver_executable()[0]).parent
    options = [
        *("--output=json", "--quiet", f"--only-categories={','.join(CATEGORIES)}"),
        *(f"--port={port}", "--disable-storage-reset"),
    ]
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}
    for _ in range(TRIES):
        run = subprocess.run(
            ["npx", "--yes", LIGHTHOUSE, url, *options], capture_output=True, text=True, env=environment, check=False
        )
        if run.returncode == 0:
            break
    else:
        sys.exit(f"Lighthouse failed:\n{run.stderr[-2000:]}")
    found = json.loads(run.stdout)
    if found["finalDisplayedUrl"] != url:
        sys.exit(f"Lighthouse was led from {url} to {found['finalDisplayedUrl']}")
    return {name: round(100 * found["categories"][name]["score"]) for name in CATEGORIES}


def met(pages: Sequence[Measured], scores: Sequence[Mapping[str, int]]) -> bool:
    light = pages[0].bytes < FIRST_PAGE and pages[1].bytes < FIRST_PAGE
    return light and not any(page.shift for page in pages) and all(set(s.values()) == {100} for s in scores)


def report(pages: Sequence[Measured], scores: Sequence[Mapping[str, int]]) -> str:
    """Return the table, and what of it was to be reached."""
    heads = ["page", "kB with all assets but fonts", "kB of fonts", "requests", "layout shift"]
    lines = [
        f"| {' | '.join([*heads, *(CATEGORIES if scores else ())])} |",
        "|" + "---|" * (len(heads) + 3 * bool(scores)),
    ]
    for number, page in enumerate(pages):
        cells = [
            page.place,
            f"{page.bytes / 1000:.1f}",
            f"{page.fonts / 1000:.1f}",
            str(page.requests),
            f"{page.shift:g}",
        ]
        if scores:
            cells += [str(scores[number][name]) for name in CATEGORIES]
        lines.append(f"| {' | '.join(cells)} |")
    goals = (
        f"The {FORM} form on a phone with an empty cache and a slow 4G. Goals: the first page under "
        f"{FIRST_PAGE / 1000:.0f} kB, no layout shift, Lighthouse 100: {'met' if met(pages, scores) else '**missed**'}."
    )
    return "\n".join([*lines, "", goals])


if __name__ == "__main__":
    raise SystemExit(main())
