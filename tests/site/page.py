"""The playground in a real browser, from a plain file server: its controls by hand, its texts read back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from tests.browser import Browser

SET = """
const [name, value] = arguments, control = document.forms.controls.elements.namedItem(name);
control.value = value;
control.dispatchEvent(new Event("input", {bubbles: true}));
"""
WRITTEN = "return [...arguments[0].querySelectorAll('.c')].map(c => c.textContent).join('')"


class Silent(SimpleHTTPRequestHandler):
    """A plain file server that says nothing. Its header forbids other hosts to the worker as well, of whose
    requests the browser tells nobody: each would be an error in the console.
    """

    def end_headers(self) -> None:
        self.send_header(
            "Content-Security-Policy", "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'"
        )
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(folder: Path, handler: type[SimpleHTTPRequestHandler] | None = None) -> Iterator[str]:
    """Serve a folder as `python -m http.server` does, or by another handler; yields its address."""
    answer = partial(handler or Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


class Page:
    """One playground that is open."""

    def __init__(self, browser: Browser, address: str, width: int = 1280, dark: bool = False) -> None:
        self.browser, self.driver = browser, browser.driver
        browser.open(address, width=width, dark=dark)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def wait(self, script: str, *arguments: object, seconds: float = 20) -> None:
        """Wait until a script says true."""
        WebDriverWait(self.driver, seconds, poll_frequency=0.02).until(
            lambda driver: driver.execute_script(f"return {script}", *arguments)
        )

    def ready(self) -> "Page":
        self.wait("!document.querySelector('#write').disabled")
        return self

    def set(self, **controls: object) -> None:
        for name, value in controls.items():
            self.driver.execute_script(SET, name, str(value))

    def write(self, **controls: object) -> WebElement:
        """Set the controls, press Write and return the new text once it is written."""
        self.set(**controls)
        count = len(self.texts())
        self.find("#write").click()
        self.wait(f"document.querySelectorAll('article').length === {count + 1}")
        text = self.texts()[0]
        self.finish()
        return text

    def finish(self) -> None:
        """Wait until nothing is written any more."""
        self.wait("!document.querySelector('[aria-busy=true]')")

    def texts(self) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, "article")

    def written(self, text: WebElement) -> str:
        """Return what was written in a text, its prompt left out."""
        return str(self.driver.execute_script(WRITTEN, text))

    def choose(self, text: WebElement, place: int) -> None:
        """Click a character; its details stay open."""
        self.driver.execute_script("arguments[0].scrollIntoView()", text)
        text.find_elements(By.CSS_SELECTOR, ".c")[place].click()
        self.wait("document.querySelector('#details.pinned:not([hidden])') !== null")
