"""One file a format: `render(document) -> bytes`, and the SUFFIX of its files."""
