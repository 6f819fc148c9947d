"""The report in a real browser: nothing from outside, nothing on the console, legible in every light."""

from pathlib import Path

import numpy as np
import pytest
import torch
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait
from tests.browser import Browser

from elman.config import settings_from
from elman.evaluation.spelling import Spelling
from elman.insight.inspection import Inspection, inspect
from elman.insight.report import render
from elman.insight.report.about import describe
from elman.model import Network
from elman.recipes import TYPICAL, load_recipe
from elman.tokens import learn_tokenizer

pytestmark = pytest.mark.browser
ATTACK = (
    "</script><script>document.title = 'caught'</script><img src=x onerror=\"document.title = 'caught'\">"
)
TEXT = (f'He said "the cat sat" {ATTACK}\n' + "It was late & dark, and a very long line went on.\n\n" * 6) * 4
CLASSES = [f"s{n}" for n in range(8)] + [f"{sign}{n}" for sign in "np" for n in range(1, 5)]


@pytest.fixture(scope="module")
def inspection() -> Inspection:
    torch.manual_seed(1)
    settings = settings_from(load_recipe("default").layers(*TYPICAL))
    tokenizer = learn_tokenizer("character", [TEXT])
    small = settings.model.model_copy(update={"hidden_size": 24, "layers": 2})
    return inspect(Network(small, tokenizer.size), tokenizer, Spelling.learn(TEXT), TEXT[:2000])


@pytest.fixture(scope="module")
def report(inspection: Inspection, tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = settings_from(load_recipe("default").layers(*TYPICAL))
    config = {
        "settings": settings.model_dump(mode="json"),
        "recipe": ATTACK,
        "vocabulary_size": 40,
        "text": {"sources": [ATTACK], "characters": len(TEXT)},
        "leak": None,
    }
    clock = range(10, 2000, 10)
    metrics = [{"event": "train", "step": n, "seconds": n / 9, "nats_per_token": 9 / n + 1} for n in clock]
    metrics += [
        {"event": "validation", "step": n, "seconds": n / 9, "nats_per_token": 1.2} for n in (500, 990)
    ]
    about = describe(f"a {ATTACK}", config, None, metrics, [ATTACK, "\x00\ud800"])
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(inspection, about), encoding="utf-8")
    return path


def test_a_report_of_two_thousand_characters_has_less_than_three_megabytes(report: Path) -> None:
    assert report.stat().st_size < 3_000_000


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_loads_nothing_says_nothing_and_fits_the_window(
    report: Path, browser: Browser, width: int, dark: bool
) -> None:
    browser.open(report.as_uri(), width, 900, dark)
    assert browser.console() == []
    assert browser.outside() == []
    assert not browser.wider_than_the_window()
    for section in ("surprise", "units", "gates", "gradient", "neighbours", "samples", "learning"):
        assert browser.driver.find_element(By.ID, section).size["height"] > 100


def test_a_text_with_a_script_in_it_is_shown_as_text(report: Path, browser: Browser) -> None:
    browser.open(report.as_uri())
    title = browser.driver.title
    assert title == f"a {ATTACK}: inside the model"
    shown = browser.driver.find_element(By.CSS_SELECTOR, "#surprise .text").get_property("textContent")
    assert shown.replace("\u23ce\n", "\n") == TEXT[:2000]
    assert browser.driver.find_elements(By.TAG_NAME, "img") == []
    assert len(browser.driver.find_elements(By.TAG_NAME, "script")) == 2  # the figures and the page's own


def test_the_page_itself_forbids_scripts_and_requests(report: Path, browser: Browser) -> None:
    """Even one that slipped in would be stopped by the policy that the page carries."""
    added = report.with_name("added.html")
    slipped = "<script>document.title = 'caught'</script><img src='http://192.0.2.1/x.png'>"
    added.write_text(report.read_text().replace("</main>", f"{slipped}</main>"))
    browser.open(added.as_uri())
    assert browser.driver.title != "caught"
    refused = [message for message in browser.console() if "Content Security Policy" in message]
    assert any("script-src" in message for message in refused)
    assert any("192.0.2.1" in message and "img-src" in message for message in refused)


def test_a_pointer_and_the_arrow_keys_show_bits_and_what_was_expected(
    report: Path, inspection: Inspection, browser: Browser
) -> None:
    browser.open(report.as_uri())
    driver = browser.driver
    text = driver.find_element(By.CSS_SELECTOR, "#surprise .text")
    driver.execute_script("arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", text)
    ActionChains(driver).move_to_element(text.find_elements(By.TAG_NAME, "span")[4]).perform()
    panel = driver.find_element(By.ID, "figure")
    assert panel.is_displayed()
    assert f"{inspection.bits[4]:.2f} bits" in panel.text
    likeliest = [token for token, _ in inspection.expected[4]]
    cells = [cell.text for cell in panel.find_elements(By.CSS_SELECTOR, "td code")]
    assert cells == [{" ": "\u2423", "\n": "\u23ce"}.get(token, token) for token in likeliest]
    ActionChains(driver).move_by_offset(0, 0).send_keys(Keys.TAB * 8).perform()  # seven links come before
    assert driver.switch_to.active_element == text
    ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
    assert f"{inspection.bits[5]:.2f} bits" in panel.text
    ActionChains(driver).send_keys(Keys.ESCAPE).perform()
    assert not panel.is_displayed()


def test_a_chart_shows_its_values_under_the_pointer(
    report: Path, inspection: Inspection, browser: Browser
) -> None:
    browser.open(report.as_uri())
    chart = browser.driver.find_element(By.CSS_SELECTOR, "#gradient .chart")
    browser.driver.execute_script(
        "arguments[0].scrollIntoView({behavior: 'instant', block: 'center'})", chart
    )
    figure = browser.driver.find_element(By.ID, "figure")

    def pointed(driver: WebDriver) -> str:
        for aside in (1, 0):  # a pointer that rests says nothing
            ActionChains(driver).move_to_element_with_offset(chart, aside, 0).perform()
        return figure.text

    said = WebDriverWait(browser.driver, 10).until(pointed)
    step = int(said.partition(":")[0].removeprefix("steps back "))
    assert inspection.reach is not None
    ratio = inspection.reach.norms[1][step] / inspection.reach.norms[1][0]
    assert f"layer 2 {ratio:.2g}" in said or "\u00b710" in said


def test_units_are_tabs_with_the_script_and_all_there_without(report: Path, browser: Browser) -> None:
    browser.open(report.as_uri())
    units = browser.driver.find_elements(By.CSS_SELECTOR, ".unit")
    assert len(units) > 2
    assert [unit.is_displayed() for unit in units] == [True] + [False] * (len(units) - 1)
    browser.driver.find_elements(By.CSS_SELECTOR, ".tabs button")[0].send_keys(Keys.ARROW_RIGHT)
    assert [unit.is_displayed() for unit in units][:2] == [False, True]
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(report.as_uri())
        units = browser.driver.find_elements(By.CSS_SELECTOR, ".unit")
        assert all(unit.is_displayed() for unit in units)
        first = browser.driver.find_element(By.CSS_SELECTOR, "#surprise .text span")
        assert first.get_dom_attribute("title").endswith(" bits")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def luminance(colour: str) -> float:
    """Relative luminance of an rgb() colour, as WCAG 2.2 defines it."""
    parts = np.array([float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_is_legible(report: Path, browser: Browser, dark: bool) -> None:
    """Contrast of 4.5 to 1 at the least (WCAG 2.2, level AA), and shades that grow from step to step."""
    browser.open(report.as_uri(), dark=dark)
    script = """
      const text = document.querySelector("#surprise .text");
      const seen = [["", getComputedStyle(text).backgroundColor, getComputedStyle(text).color]];
      for (const name of arguments[0]) {
        const span = text.appendChild(document.createElement("span"));
        span.className = name;
        seen.push([name, getComputedStyle(span).backgroundColor, getComputedStyle(span).color]);
        span.remove();
      }
      for (const name of [".how", ".facts dt", "nav a", ".tabs [aria-selected=true]", "mark"]) {
        const element = document.querySelector(name);
        const style = getComputedStyle(element);
        seen.push([name, style.backgroundColor, style.color]);
      }
      return [getComputedStyle(document.body).backgroundColor, seen];
    """
    page, seen = browser.driver.execute_script(script, CLASSES)
    shades = {}
    for name, behind, ink in seen:
        lights = [luminance(page if behind.endswith(", 0)") else behind), luminance(ink)]
        contrast = (max(lights) + 0.05) / (min(lights) + 0.05)
        assert contrast >= 4.5, f"{name}: {ink} on {behind} is {contrast:.2f}"
        shades[name] = lights[0]
    for scale in ("s", "n", "p"):
        ordered = [shades[name] for name in CLASSES if name[0] == scale and name != "s0"]
        assert ordered == sorted(ordered, reverse=not dark)
        assert len(set(ordered)) == len(ordered)
