"""A Chinese page is its English page in other words: same code, equations, pictures, figures and names.

Compares the two texts; runs nothing. What the code does is checked by test_snippets, on both pages.
"""

import re
from collections import Counter
from pathlib import Path

import pytest

from .pages import DOCS

CHINESE = DOCS / "zh"
ENGLISH = {page.name: page for page in [DOCS / "index.md", *sorted((DOCS / "learn").glob("*.md"))]}

FENCE = re.compile(r"^(?P<indent> *)```\w[^\n]*\n.*?^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
EQUATION = re.compile(r"\$\$.*?\$\$", re.DOTALL)
INLINE = re.compile(r"`[^`\n]+`|\$[^$\n]+\$")  # a name or a formula within a sentence
PICTURE = re.compile(r"!\[[^\]]*\]\((?P<file>[^)]*)\)")
LINK = re.compile(r"\[(?P<words>[^\]]*)\]\((?P<target>[^)]*)\)")
TWIN = re.compile(r"^(?:English|中文)[:：] ?" + LINK.pattern + r"\n\n", re.MULTILINE)  # the other language
FIGURE = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?", re.ASCII)

IDEOGRAPH = "[\u4e00-\u9fff]"
LATIN = "[A-Za-z0-9%]"
GLUED = re.compile(f"{IDEOGRAPH}{LATIN}|{LATIN}{IDEOGRAPH}")
HALF_WIDTH = re.compile(f"{IDEOGRAPH}[,.;:!?()]|[,.;:!?()]{IDEOGRAPH}")

each_page = pytest.mark.parametrize("name", ENGLISH)


def read(page: Path) -> str:
    """Return a page without the line that leads to the other language."""
    return TWIN.sub("", page.read_text(encoding="utf-8"), count=1)


def skeleton(text: str) -> list[str]:
    """Return the blocks of a page, in order: code and equations in full, pictures by file, words by kind."""
    blocks = []
    end = 0
    for fence in FENCE.finditer(text):
        blocks += _outline(text[end : fence.start()]) + [fence[0]]
        end = fence.end()
    return blocks + _outline(text[end:])


def _outline(text: str) -> list[str]:
    """Return the blocks of a stretch without code; lines that follow each other are one paragraph."""
    blocks = [""]
    for line in text.splitlines():
        words = line.strip()
        opening = re.match(r"#+ |- |\||\?\?\? \w+|</?div.*|\*\*\d", words)
        picture = PICTURE.fullmatch(words)
        if not words:
            block = ""
        elif picture:
            block = picture["file"]
        elif EQUATION.fullmatch(words):
            block = words
        elif opening:
            block = opening[0]
        elif blocks[-1] in ("", "paragraph") or blocks[-1].startswith("<"):
            block = "paragraph"
        else:  # a list item or an exercise goes on in the next line
            continue
        if block != "paragraph" or blocks[-1] != block:
            blocks.append(block)
    return [block for block in blocks if block]


def words_of(text: str) -> str:
    """Return the sentences, headings and tables; code and equations are gone, names and formulas are `x`."""
    text = EQUATION.sub("", FENCE.sub("", text))
    text = INLINE.sub("x", PICTURE.sub("", text))
    return LINK.sub(r"\g<words>", text).replace("**", "")


def test_every_page_of_the_learner_is_there_in_chinese_and_no_other() -> None:
    assert {page.name for page in CHINESE.glob("*.md")} == set(ENGLISH)


@each_page
def test_code_equations_pictures_and_headings_are_the_same_in_the_same_order(name: str) -> None:
    english, chinese = skeleton(read(ENGLISH[name])), skeleton(read(CHINESE / name))
    if name == "index.md":
        assert all(not block.endswith(".svg") for block in english)  # else their paths would differ
    assert chinese == english


@each_page
def test_every_row_of_a_table_has_the_same_figures(name: str) -> None:
    rows = [
        [FIGURE.findall(line) for line in read(page).splitlines() if line.startswith("|")]
        for page in (ENGLISH[name], CHINESE / name)
    ]
    assert rows[1] == rows[0]


@each_page
def test_every_figure_name_and_formula_of_the_sentences_is_on_both_pages(name: str) -> None:
    english, chinese = (
        EQUATION.sub("", FENCE.sub("", read(page))) for page in (ENGLISH[name], CHINESE / name)
    )
    assert Counter(INLINE.findall(chinese)) == Counter(INLINE.findall(english))
    counted = [Counter(FIGURE.findall(INLINE.sub("", text))) for text in (english, chinese)]
    assert counted[1] == counted[0]


@each_page
def test_the_words_are_chinese_with_full_width_marks_and_space_around_latin(name: str) -> None:
    words = words_of(read(CHINESE / name))
    for line in words.splitlines():
        assert not GLUED.search(line), f"no space between Chinese and Latin: {line}"
        assert not HALF_WIDTH.search(line), f"a half-width mark beside Chinese: {line}"
    ideographs, letters = re.findall(IDEOGRAPH, words), re.findall("[A-Za-z]", words)
    assert len(ideographs) > 2 * len(letters)


@each_page
def test_a_page_leads_to_its_english_page_and_else_to_chinese_pages_where_there_are_any(name: str) -> None:
    page = CHINESE / name
    twin = TWIN.search(page.read_text(encoding="utf-8"))
    assert twin is not None, f"{name}: expected a line `English: [title](page)` under the heading"
    assert (CHINESE / twin["target"]).resolve() == ENGLISH[name]
    assert f"# {twin['words']}\n" in ENGLISH[name].read_text(encoding="utf-8")
    for link in LINK.finditer(read(page)):
        target = (CHINESE / link["target"].partition("#")[0]).resolve()
        assert target.is_file(), f"{name}: {link['target']} is not there"
        assert target not in ENGLISH.values(), f"{name}: {link['target']} has a page in Chinese"
