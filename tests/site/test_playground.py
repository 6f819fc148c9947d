"""The exported page in Chromium: it writes what the library writes, and everything on it can be used."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from tests.browser import Browser

from elman import LanguageModel
from elman.generation import Sampling
from elman.site import write_site

from .page import Page, served

SMALL = {"model.hidden_size": 16, "train.batch_size": 4, "train.window": 16, "train.precision": "fp32"}
ENGLISH = "the cat sat on a mat and saw one dog's red door; it's 10 past 7, isn't it?\n"
CHINESE = (
    "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。\n床前明月光，疑是地上霜。举头望明月，低头思故乡。\n"
)
pytestmark = pytest.mark.browser


def exported(folder: Path, text: str, steps: int = 60, **settings: object) -> tuple[LanguageModel, str]:
    """Train a small model on a text, export it, and return it with the folder of the page."""
    (folder / "text.txt").write_text(text, encoding="utf-8")
    named = {name.replace("__", "."): value for name, value in settings.items()}
    model = LanguageModel.train(
        folder / "text.txt", out=folder / "model", steps=steps, settings={**SMALL, **named}
    )
    write_site(model.folder, folder / "site")
    return model, str(folder / "site")


@pytest.fixture(scope="module")
def english(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LanguageModel, str]]:
    model, site = exported(tmp_path_factory.mktemp("english"), ENGLISH * 60)
    with served(Path(site)) as address:
        yield model, address


@pytest.fixture
def model(english: tuple[LanguageModel, str]) -> LanguageModel:
    return english[0]


@pytest.fixture
def page(browser: Browser, english: tuple[LanguageModel, str]) -> Iterator[Page]:
    opened = Page(browser, english[1]).ready()
    yield opened
    assert browser.console() == []
    assert browser.outside() == []


@pytest.mark.parametrize("seed", [0, 1, 12345, 2**40 + 7])
@pytest.mark.parametrize(("temperature", "top_p"), [(1, 1), (0.7, 0.9)])
def test_the_text_is_that_of_the_library(
    page: Page, model: LanguageModel, seed: int, temperature: float, top_p: float
) -> None:
    text = page.write(prompt="the ", length=400, seed=seed, temperature=temperature, topP=top_p)
    expected = model.generate("the ", 400, seed, temperature=temperature, top_p=top_p)
    assert page.written(text) == expected
    without_prompt = page.write(prompt="")
    assert page.written(without_prompt) == model.generate(
        None, 400, seed, temperature=temperature, top_p=top_p
    )


@pytest.mark.parametrize("kind", ["byte", "word", "bpe", "character"])
def test_every_kind_of_tokenizer_writes_chinese_and_english(
    browser: Browser, tmp_path: Path, kind: str
) -> None:
    model, site = exported(tmp_path, (CHINESE + ENGLISH) * 30, tokenizer=kind)
    prompt = "夜来风雨声" if kind == "word" else "夜来风雨声 it's the cat, isn't 10"
    assert not model.tokenizer.unknown_pieces(prompt)
    with served(Path(site)) as address:
        page = Page(browser, address).ready()
        assert page.written(page.write(prompt=prompt, length=300)) == model.generate(prompt, 300)
        assert browser.console() == []


def test_surprise_and_alternatives_are_those_of_the_model(page: Page, model: LanguageModel) -> None:
    text = page.write(prompt="the ", length=60, temperature=0.5)
    written = page.written(text)
    place = next(n for n, character in enumerate(written) if n > 30 and character.isalpha())
    page.choose(text, place)
    state = model.start("the " + written[:place]).state
    logits, _ = model.engine.step(np.array([state.token]), state.memory)
    shares = Sampling().probabilities(logits[0])
    bits = -np.log2(shares[model.tokenizer.encode(written[place])[0]])
    assert page.find("#details .character").text == f"{written[place]} {bits:.1f} bits"
    names = {b" ": "space", b"\n": "new line"}
    best = np.argsort(-shares, kind="stable")[:5]
    pieces = [model.tokenizer.pieces[token] for token in best]
    expected = [
        (names.get(piece, piece.decode()), shares[token]) for piece, token in zip(pieces, best, strict=True)
    ]
    shown = [
        button.text.split("\n")
        for button in page.driver.find_elements(By.CSS_SELECTOR, ".alternatives button")
    ]
    assert [name for name, _ in shown] == [name for name, _ in expected]
    for (_, percent), (_, share) in zip(shown, expected, strict=True):
        assert float(percent.removesuffix(" %")) == pytest.approx(100 * share, abs=0.51)


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
    page.wait("[...document.querySelectorAll('.text')].every(text => text.children.length > 50)")
    other, stopped = page.texts()
    stopped.find_element(By.CSS_SELECTOR, ".stop").click()
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
def test_no_sideways_scrolling(
    browser: Browser, english: tuple[LanguageModel, str], width: int, dark: bool
) -> None:
    page = Page(browser, english[1], width, dark).ready()
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


def test_what_the_model_does_not_know_is_said(page: Page) -> None:
    text = page.write(prompt="the 春", length=10)
    assert "Not seen in training, read as unknown: 春" in text.text


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("how", ["missing", "damaged"])
def test_a_missing_or_damaged_file_is_said_in_one_line(
    browser: Browser, english: tuple[LanguageModel, str], tmp_path: Path, name: str, how: str
) -> None:
    write_site(english[0].folder, tmp_path / "site")
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


@pytest.mark.alone
def test_the_first_character_comes_within_two_seconds(page: Page) -> None:
    page.set(prompt="the cat " * 100, length=10)
    start = time.perf_counter()
    page.find("#write").click()
    page.wait("document.querySelector('.c') !== null")
    assert time.perf_counter() - start < 2


@pytest.mark.slow
@pytest.mark.alone
def test_an_lstm_of_512_units_writes_1500_characters_a_second(browser: Browser, tmp_path: Path) -> None:
    """As the page itself shows it; the best of six, for other work on the machine slows a text down."""
    _, site = exported(tmp_path, ENGLISH * 60, steps=2, model__hidden_size=512)
    with served(Path(site)) as address:
        page = Page(browser, address).ready()
        rates = []
        for seed in range(6):
            speed = page.write(prompt="the ", length=2000, seed=seed).find_element(By.CSS_SELECTOR, ".speed")
            rates.append(int(speed.text.split()[0].replace(",", "")))
    assert max(rates) >= 1500, rates
