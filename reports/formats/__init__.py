"""One file a format: `render(made) -> bytes`, the SUFFIX of its files, and what it HOLDS: a Document or a Workbook."""
