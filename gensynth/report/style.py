"""How the report and its figures look."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.figure import Figure

PLOT: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.parse_math": False,  # names are anybody's, and no formulas
    "svg.fonttype": "none",
    "svg.hashsalt": "gensynth",
    "figure.dpi": 100,
}
"""Settings of matplotlib, to draw under."""


def rendered(figure: Figure, format: str) -> bytes:
    """A figure as a file, ``"svg"`` or ``"png"``: the same bytes for the same figure."""
    file = io.BytesIO()
    metadata = {"Date": None} if format == "svg" else {"Software": None}
    figure.savefig(file, format=format, dpi=200, metadata=metadata)
    return file.getvalue()


STYLE = """
:root { color-scheme: light dark; --text: #212529; --faint: #5c636a; --line: #ced4da;
  --ground: #ffffff; --link: #0b5394; --banner: #fff3bf; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e9ecef; --faint: #adb5bd; --line: #495057; --ground: #16191d;
    --link: #8cc4ff; --banner: #4d3b00; }
}
body { font: 15px/1.5 Helvetica, Arial, sans-serif; color: var(--text);
  background: var(--ground); max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
  overflow-wrap: anywhere; }
a { color: var(--link); }
.answer { font-size: 1.1rem; }
.scroll { overflow-x: auto; }
h1 { font-size: 1.7rem; margin: 0.5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 0.5rem;
  border-bottom: 1px solid var(--line); break-after: avoid; }
.banner { background: var(--banner); border: 1px solid #f59f00; border-radius: 6px;
  padding: 0.6rem 1rem; }
table { border-collapse: collapse; margin: 0.5rem 0 1rem; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; text-align: left;
  vertical-align: baseline; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
.numbers td { text-align: right; font-variant-numeric: tabular-nums; }
.numbers th { text-align: right; }
.numbers td:first-child, .numbers th:first-child { text-align: left; }
th { font-size: 0.85rem; color: var(--faint); }
small, figcaption { color: var(--faint); }
figure { margin: 0; break-inside: avoid; }
svg { max-width: 100%; height: auto; background: #ffffff; border-radius: 6px; }
dl { display: grid; grid-template-columns: minmax(5rem, max-content) 1fr; gap: 0.1rem 1rem;
  font-size: 0.9rem; margin: 0.5rem 0; }
dt { color: var(--faint); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 0.5rem 0 1.2rem; }
summary { cursor: pointer; font-weight: bold; }
"""
