"""Stylesheet, icon and fonts: read once, served from memory under an address that changes with their content."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, request

_STATIC = Path(__file__).parent / "static"
_FONTS = Path(__file__).parent.parent / "fonts"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class Asset:
    """One file as sent: *packed* is its gzip form where that is smaller."""

    content: bytes
    packed: bytes | None
    mimetype: str


class Assets:
    """The files by name; a request can reach nothing that is not among them."""

    def __init__(self) -> None:
        files = [*sorted(_STATIC.iterdir()), *sorted(_FONTS.glob("*.woff2"))]
        self.files: Mapping[str, Asset] = {file.name: _asset(file) for file in files if file.suffix in _TYPES}
        content = b"".join(name.encode() + asset.content for name, asset in self.files.items())
        # One digest for all, so that the stylesheet can name its fonts by relative address.
        self.digest = hashlib.sha256(content).hexdigest()[:12]

    def url(self, name: str) -> str:
        return f"/assets/{self.digest}/{name}"

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint("assets", __name__)
        blueprint.add_url_rule("/assets/<digest>/<name>", "asset", self.serve)
        return blueprint

    def serve(self, digest: str, name: str) -> Response:
        asset = self.files.get(name)
        if asset is None or digest != self.digest:
            abort(404)
        packed = asset.packed if request.accept_encodings["gzip"] > 0 else None
        response = Response(packed or asset.content, content_type=asset.mimetype)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        if asset.packed:
            response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def _asset(file: Path) -> Asset:
    content = file.read_bytes()
    packed = gzip.compress(content, 9, mtime=0)
    return Asset(content, packed if len(packed) < 0.9 * len(content) else None, _TYPES[file.suffix])
