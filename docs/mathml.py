"""A hook of mkdocs: equations in a page's HTML in, MathML out, so that no script has to draw them.

`pymdownx.arithmatex` marks what stands between dollar signs; this replaces each mark. Knows nothing of pages.
"""

import html
import re

from latex2mathml.converter import convert

MARKED = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL
)
MENDED = (  # what browsers set too high, or too close
    (
        re.compile(r"<msup>(<m\w+>[^<]*</m\w+>)<mi>&#x02032;</mi></msup>"),
        r"\1<mo lspace='0' rspace='0'>′</mo>",
    ),
    (re.compile(r"(<mi>(?:ln|log)</mi>)(?!<mo)"), r"\1<mspace width='0.17em'/>"),
)


def on_page_content(content: str, **_: object) -> str:
    """Replace the equations of one page."""
    return MARKED.sub(_mathml, content)


def _mathml(match: re.Match[str]) -> str:
    display = "block" if match["tag"] == "div" else "inline"
    equation = convert(html.unescape(match["latex"]).strip(), display=display)
    for pattern, replacement in MENDED:
        equation = pattern.sub(replacement, equation)
    return f'<div class="equation">{equation}</div>' if display == "block" else equation
