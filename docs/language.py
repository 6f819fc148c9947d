"""A hook of mkdocs: a page in, the page with its language out.

A browser picks the shapes of ideographs and marks by it; the
theme knows one language for all pages.
"""

from mkdocs.structure.pages import Page

ENGLISH, CHINESE = '<html lang="en"', '<html lang="zh-Hans"'


def on_post_page(output: str, page: Page, **_: object) -> str:
    """Say that the pages of docs/zh are in simplified Chinese."""
    if page.file.src_uri.startswith("zh/"):
        return output.replace(ENGLISH, CHINESE, 1)
    return output
