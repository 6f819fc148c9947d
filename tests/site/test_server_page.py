"""What the page asks of a server and makes of its answers: a stand-in with canned ones, and cuts anywhere."""

import json
import math
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from tests.browser import Browser

from elman.site import write

from .page import Page, Silent, served

pytestmark = pytest.mark.browser
CANNED = [("O", 0.5), (" ", 0.25), ("花", 0.125), ("é!", 0.5)]


class StandIn(Silent):
    """Answers a completion with the canned tokens; a prompt of `again` never ends, one of `no` is refused."""

    asked: ClassVar[list[dict[str, Any]]] = []
    gone: ClassVar[list[bool]] = []

    def do_GET(self) -> None:  # noqa: N802
        if self.path != "/v1/models":
            super().do_GET()
        else:
            self.answer(200, {"object": "list", "data": [{"id": "one"}, {"id": "two"}]})

    def do_POST(self) -> None:  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path, **body})
        if body["prompt"] == "no":
            self.answer(429, {"error": {"message": "too many texts at once, try again", "type": "busy"}})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        try:
            for turn in range(10_000 if body["prompt"] == "again" else 1):
                for place, (piece, share) in enumerate(CANNED):
                    said = {"unknown": ["春", "Ω"]} if turn == place == 0 else {}
                    self.event(json.dumps(completion(piece, share) | said))
                time.sleep(0.01 if turn else 0)
            self.event("[DONE]")
        except OSError:
            self.gone.append(True)

    def event(self, data: str) -> None:
        line = f"data: {data}\n\n".encode()
        self.wfile.write(line[:20])  # a network cuts where it likes
        self.wfile.write(line[20:])

    def answer(self, status: int, content: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())


def completion(piece: str, share: float) -> dict[str, Any]:
    top = {piece: math.log(share), "x": math.log(0.1), "y": math.log(0.2)}
    logprobs = {
        "tokens": [piece],
        "token_logprobs": [math.log(share)],
        "top_logprobs": [top],
        "text_offset": [0],
    }
    return {"choices": [{"index": 0, "text": piece, "logprobs": logprobs, "finish_reason": None}]}


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    StandIn.asked.clear()
    with served(write.PAGE, StandIn) as address:
        yield Page(browser, address).ready()
        assert browser.outside() == []


def test_a_server_writes_what_the_page_asks_for(page: Page, browser: Browser) -> None:
    Select(page.find("select")).select_by_visible_text("two")
    text = page.write(prompt="to ", length=7, temperature=0.7, topP=0.9, seed=5)
    assert page.written(text) == "O 花é!"
    how = {"max_tokens": 7, "temperature": 0.7, "top_p": 0.9, "seed": 5, "stream": True, "logprobs": 5}
    assert StandIn.asked == [{"path": "/v1/completions", "model": "two", "prompt": "to ", **how}]
    assert text.find_element(By.CSS_SELECTOR, ".unknown").text.endswith("read as unknown: 春 Ω")
    page.choose(text, 2)
    assert page.find("#details .character").text == "花 3.0 bits"
    shown = [b.text.split("\n") for b in page.driver.find_elements(By.CSS_SELECTOR, ".alternatives button")]
    assert shown == [["y", "20 %"], ["花", "13 %"], ["x", "10 %"]]
    page.find("#fork").click()
    page.finish()
    assert StandIn.asked[1]["prompt"] == "to O 花"
    assert browser.console() == []


def test_what_a_server_refuses_is_said_in_its_words(page: Page) -> None:
    text = page.write(prompt="no")
    assert "The server refused: too many texts at once, try again" in text.text


def test_stop_leaves_the_server(page: Page, browser: Browser) -> None:
    page.set(prompt="again")
    page.find("#write").click()
    page.wait("document.querySelectorAll('.c').length > 100")
    page.find("article .stop").click()
    page.finish()
    deadline = time.monotonic() + 10
    while not StandIn.gone and time.monotonic() < deadline:
        time.sleep(0.05)
    assert StandIn.gone
    assert browser.console() == []


def test_a_server_that_is_gone_is_said(browser: Browser) -> None:
    with served(write.PAGE, StandIn) as address:
        page = Page(browser, address).ready()
    text = page.write(prompt="to ")
    assert "The server does not answer (v1/completions). Start it, elman serve MODEL" in text.text
