"""The built book: no word from the builder, no error in the console, no request to anywhere else."""

import functools
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.browser import Browser

from .pages import DOCS

ROOT = DOCS.parent
EXPECTED = re.compile(r"INFO +-  (?:Cleaning site|Building documentation|Documentation built in)")
PHONE, DESK = 390, 1280

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves a folder and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the book as `make docs` does; the builder has nothing to say but that it built."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if not EXPECTED.match(line)]
    assert (done.returncode, said) == (0, [])
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def addresses() -> list[str]:
    """Return where each page of docs/ is found, the first page first."""
    pages = [page.relative_to(DOCS).with_suffix("").as_posix() for page in sorted(DOCS.rglob("*.md"))]
    return sorted(f"{page}/".removesuffix("index/") for page in pages)


def test_every_page_opens_with_no_error_and_asks_nobody_else(browser: Browser, address: str) -> None:
    pages = addresses()
    assert len(pages) > 20
    for page in pages:
        browser.open(address + page, width=DESK)
        assert browser.console() == [], page
        assert browser.outside() == [], page
        assert not browser.wider_than_the_window(), page
        assert broken_pictures(browser) == [], page


@pytest.mark.parametrize("page", ["", "learn/unrolled/", "learn/clipping/", "learn/lstm/", "commands/"])
def test_a_phone_in_the_dark_shows_pages_without_scrolling_sideways(
    browser: Browser, address: str, page: str
) -> None:
    browser.open(address + page, width=PHONE, height=844, dark=True)
    assert browser.driver.execute_script("return document.body.dataset.mdColorScheme") == "slate"
    assert not browser.wider_than_the_window()
    assert (browser.console(), browser.outside()) == ([], [])


def test_equations_are_mathml_and_no_dollar_sign_is_left_over(browser: Browser, address: str) -> None:
    for page in [page for page in addresses() if page.startswith("learn/")]:
        browser.open(address + page)
        assert browser.driver.execute_script("return document.querySelectorAll('.arithmatex').length") == 0
        heights = browser.driver.execute_script(
            "return [...document.querySelectorAll('.equation math')].map(m => m.clientHeight)"
        )
        assert heights, f"{page} has no equation"
        assert min(heights) > 10, page
        prose = "return [...document.querySelectorAll('article p')].map(p => p.innerText).join(' ')"
        assert "$" not in browser.driver.execute_script(prose), page


def test_tutorial_and_elman_stand_side_by_side_on_a_desk_and_stacked_on_a_phone(
    browser: Browser, address: str
) -> None:
    tops = (
        "return [...document.querySelector('.side-by-side').children].map(c => c.getBoundingClientRect().top)"
    )
    browser.open(address + "learn/unrolled/", width=DESK)
    left, right = browser.driver.execute_script(tops)
    assert left == right
    browser.open(address + "learn/unrolled/", width=PHONE, height=844)
    left, right = browser.driver.execute_script(tops)
    assert left < right


def broken_pictures(browser: Browser) -> list[str]:
    """Return the pictures of the open page that did not load."""
    script = "return [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.src)"
    found: list[str] = browser.driver.execute_script(script)
    return found
