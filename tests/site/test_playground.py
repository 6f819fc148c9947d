"""The page in Chromium, from a file server and from `elman serve`: everything on it can be used."""

from pathlib import Path

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from tests.browser import Browser

from elman import LanguageModel
from elman.site import write_site

from .page import Page, served

pytestmark = pytest.mark.browser


def test_rewind_keeps_the_text_up_to_a_character_and_writes_on(page: Page, model: LanguageModel) -> None:
    text = page.write(prompt="the ", length=100)
    first = page.written(text)
    page.choose(text, 40)
    page.find("#rewind").click()
    assert page.written(text) == first[:41]
    page.set(seed=9, length=50)
    text.find_element(By.CSS_SELECTOR, ".on").click()
    page.finish()
    assert page.written(text) == first[:41] + model.generate("the " + first[:41], 50, seed=9)


def test_fork_writes_beside_what_was_there(page: Page, model: LanguageModel) -> None:
    text = page.write(prompt="the ", length=100, seed=3)
    first = page.written(text)
    page.choose(text, 40)
    page.find("#fork").click()
    page.finish()
    parent, fork = page.texts()
    assert page.written(parent) == first
    assert page.written(fork) == first[:41] + model.generate("the " + first[:41], 100, seed=4)
    assert "fork of text 1 after 45 characters" in fork.text
    assert parent.rect["y"] == fork.rect["y"]
    assert parent.rect["x"] < fork.rect["x"]


def test_the_alternatives_are_shown_while_the_mouse_is_over_a_character(page: Page) -> None:
    text = page.write(prompt="the ", length=60)
    characters = text.find_elements(By.CSS_SELECTOR, ".c")
    mouse = ActionChains(page.driver)
    mouse.move_to_element(characters[10]).perform()
    first = page.find("#details").text
    assert first.startswith(characters[10].text or "space")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, ".alternatives button")) == 5
    mouse.move_to_element(characters[13]).perform()
    assert page.find("#details").text != first
    mouse.move_to_element(page.find("#prompt")).perform()
    assert not page.find("#details").is_displayed()


def test_another_character_can_be_taken_instead(page: Page, model: LanguageModel) -> None:
    text = page.write(prompt="", length=60)
    page.choose(text, 20)
    others = page.driver.find_elements(By.CSS_SELECTOR, ".alternatives button:not(.chosen)")
    assert len(others) >= 4
    taken = others[0].find_element(By.TAG_NAME, "strong").text
    taken = {"space": " ", "new line": "\n"}.get(taken, taken)
    others[0].click()
    page.finish()
    before = page.written(text)[:20] + taken
    fork = page.texts()[1]
    assert page.written(fork) == before + model.generate("\n" + before, 60, seed=1)
    page.choose(fork, 10)  # what it has from its parent can be gone back to as well
    page.find("#rewind").click()
    assert page.written(fork) == before[:11]
    assert len(page.written(text)) == 60


def test_stop_ends_a_text_at_once_and_others_go_on(page: Page, model: LanguageModel) -> None:
    page.set(prompt="the ", length=20000)
    page.find("#write").click()
    page.set(length=3000, seed=1)
    page.find("#write").click()
    other, stopped = page.texts()
    stop = stopped.find_element(By.CSS_SELECTOR, ".stop")  # at hand before the text can end
    page.wait("[...document.querySelectorAll('.text')].every(text => text.children.length > 50)")
    stop.send_keys(Keys.ENTER)  # lines move under a click
    length = len(page.written(stopped))
    page.finish()
    assert len(page.written(stopped)) == length < 20000
    assert page.written(stopped) == model.generate("the ", length)
    assert page.written(other) == model.generate("the ", 3000, seed=1)


def active(page: Page) -> WebElement:
    return page.driver.switch_to.active_element


def test_everything_can_be_done_with_the_keys_and_heard(page: Page, model: LanguageModel) -> None:
    page.find("#prompt").send_keys("the ")
    page.set(length=100)
    for _ in range(5):
        active(page).send_keys(Keys.TAB)
    assert active(page).get_attribute("id") == "write"
    active(page).send_keys(Keys.ENTER)
    page.wait("document.querySelectorAll('article').length === 1")
    page.finish()
    assert page.find("#said").text.startswith("Text 1 has 104 characters, written at ")
    (text,) = page.texts()
    first = page.written(text)
    while active(page).get_attribute("role") != "listbox":
        active(page).send_keys(Keys.TAB)
    active(page).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    character = page.find(f"#{active(page).get_attribute('aria-activedescendant')}")
    assert character.get_attribute("aria-label").startswith(
        {" ": "space", "\n": "new line"}.get(first[1], first[1])
    )
    assert " bits, " in character.get_attribute("aria-label")
    assert page.find("#details").is_displayed()
    active(page).send_keys(Keys.ENTER)
    assert active(page).get_attribute("id") == "rewind"
    active(page).send_keys(Keys.ESCAPE)
    assert not page.find("#details").is_displayed()
    assert active(page).get_attribute("role") == "listbox"
    active(page).send_keys(Keys.END, Keys.HOME, Keys.ENTER)
    active(page).send_keys(Keys.ENTER)
    assert page.written(text) == first[:1]
    unnamed = "return [...document.querySelectorAll('button, input, textarea, select')].filter("
    unnamed += "e => e.checkVisibility() && !e.textContent.trim() && !e.labels?.[0]?.textContent.trim())"
    assert page.driver.execute_script(unnamed) == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_no_sideways_scrolling(browser: Browser, address: str, width: int, dark: bool) -> None:
    page = Page(browser, address, width, dark).ready()
    page.write(prompt="w" * 200, length=300)
    page.write(prompt="the ")
    assert not browser.wider_than_the_window()
    page.choose(page.texts()[0], 60)
    assert not browser.wider_than_the_window()
    box = page.find("#details").rect
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_the_page_speaks_chinese(page: Page) -> None:
    page.write(prompt="the ", length=30)
    page.find("#language").click()
    assert page.find("html").get_attribute("lang") == "zh-CN"
    assert page.find("#write").text == "写"
    assert "每秒" in page.texts()[0].text
    english = "return [...document.querySelectorAll('[data-words], h3, .facts span')].map(e => e.textContent)"
    said = page.driver.execute_script(english)
    assert [text for text in said if text and text.isascii() and text not in ("English", "Top-p")] == []
    page.find("#language").click()
    assert page.find("#write").text == "Write"


def test_what_the_model_does_not_know_is_said(browser: Browser, addresses: dict[str, str]) -> None:
    page = Page(browser, addresses["files"]).ready()
    text = page.write(prompt="the 春", length=10)
    assert "Not seen in training, read as unknown: 春" in text.text


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_missing_or_damaged_file_is_said_in_one_line(
    browser: Browser, model: LanguageModel, tmp_path: Path, name: str, how: str
) -> None:
    write_site(model.folder, tmp_path / "site")
    file = tmp_path / "site" / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.unlink()
    if how == "damaged":
        file.write_bytes(data)
    with served(tmp_path / "site") as address:
        page = Page(browser, address)
        page.wait("!document.querySelector('#trouble').hidden")
        line = page.find("#trouble").text
        assert line.startswith(f"{name} cannot be loaded" if how == "missing" else f"{name} is damaged")
        assert "elman export" in line
        assert "\n" not in line
        assert not page.find("#write").is_enabled()
