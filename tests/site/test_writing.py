"""What the page writes in Chromium, from a file server and from `elman serve`, is what the library writes."""

import time

import numpy as np
import pytest
from selenium.webdriver.common.by import By
from tests.browser import Browser

from elman import LanguageModel
from elman.generation import Sampling, opening

from .conftest import ENGLISH, Train
from .hosts import HOSTS
from .page import Page

CHINESE = (
    "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。\n床前明月光，疑是地上霜。举头望明月，低头思故乡。\n"
)
pytestmark = pytest.mark.browser


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


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("kind", ["byte", "word", "bpe", "character"])
def test_every_kind_of_tokenizer_writes_chinese_and_english(
    browser: Browser, train: Train, kind: str, host: str
) -> None:
    model = train((CHINESE + ENGLISH) * 30, tokenizer=kind)
    prompt = "夜来风雨声" if kind == "word" else "夜来风雨声 it's the cat, isn't 10"
    assert not model.tokenizer.unknown_pieces(prompt)
    with HOSTS[host](model) as address:
        page = Page(browser, address).ready()
        assert page.written(page.write(prompt=prompt, length=300)) == model.generate(prompt, 300)
        assert page.written(page.write(prompt="")) == model.generate(None, 300)
        assert browser.console() == []


@pytest.mark.parametrize("host", HOSTS)
def test_a_model_that_knows_no_new_line_begins_and_goes_on_as_in_the_library(
    browser: Browser, train: Train, host: str
) -> None:
    model = train(CHINESE.replace("\n", "") * 60)
    begun = opening(model.tokenizer)
    assert begun != "\n"
    with HOSTS[host](model) as address:
        page = Page(browser, address).ready()
        text = page.write(prompt="", length=40)
        first = page.written(text)
        assert first == model.generate(None, 40) == model.generate(begun, 40)
        assert not text.find_element(By.CSS_SELECTOR, ".prompt").text
        page.choose(text, 0)
        page.find("#rewind").click()
        page.set(seed=5)
        text.find_element(By.CSS_SELECTOR, ".on").click()
        page.finish()
        assert page.written(text) == first[0] + model.generate(begun + first[0], 40, seed=5)
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


@pytest.mark.alone
def test_the_first_character_comes_within_two_seconds(page: Page) -> None:
    page.set(prompt="the cat " * 100, length=10)
    start = time.perf_counter()
    page.find("#write").click()
    page.wait("document.querySelector('.c') !== null")
    assert time.perf_counter() - start < 2


@pytest.mark.slow
@pytest.mark.alone
def test_an_lstm_of_512_units_writes_1500_characters_a_second_and_the_first_text_is_no_slower(
    browser: Browser, train: Train
) -> None:
    """As the page shows it, a second after it is opened; six times, for other work slows a text down."""
    model = train(ENGLISH * 60, steps=2, model__hidden_size=512)
    first, second = [], []
    with HOSTS["files"](model) as address:
        for seed in range(6):
            page = Page(browser, address).ready()
            time.sleep(1)
            for rates in (first, second):
                speed = page.write(prompt="the ", seed=seed).find_element(By.CSS_SELECTOR, ".speed")
                rates.append(int(speed.text.split()[0].replace(",", "")))
    assert max(first) >= 1500, first
    assert np.median(first) >= 0.75 * np.median(second), (first, second)
