"""Formulas as MathML, which every browser draws by itself: no script and no font is loaded."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)


def on_page_content(content: str, **_: Any) -> str:
    """Replaces the formulas of a page, called by MkDocs.

    Args:
        content: The page's HTML, with LaTeX where ``pymdownx.arithmatex`` found a formula.

    Returns:
        The same with MathML in their place.
    """
    return FORMULA.sub(_mathml, content)


def _mathml(formula: re.Match[str]) -> str:
    display = "block" if formula["tag"] == "div" else "inline"
    return convert(html.unescape(formula["latex"]), display=display)
