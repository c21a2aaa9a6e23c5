"""What a report is made of: frozen parts that say what to show and leave how to the formats."""

from reports.parts.chart import Chart
from reports.parts.document import Document, Part, Section, Words
from reports.parts.table import Cell, Column, Head, Row, Table
from reports.parts.text import Bullets, Fact, Facts, Formula, Note, Paragraph

__all__ = [
    "Bullets",
    "Cell",
    "Chart",
    "Column",
    "Document",
    "Fact",
    "Facts",
    "Formula",
    "Head",
    "Note",
    "Paragraph",
    "Part",
    "Row",
    "Section",
    "Table",
    "Words",
]
