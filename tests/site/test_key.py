"""The page of a server that serves only who has its key."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys
from tests.browser import Browser

from elman import LanguageModel

from .hosts import command
from .page import Page

REFUSED = "The server refused: the API key is missing or wrong, expected: Authorization: Bearer KEY"
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def locked(model: LanguageModel) -> Iterator[str]:
    with command(model, "--api-key", "right key") as address:
        yield address


@pytest.fixture
def page(browser: Browser, locked: str) -> Iterator[Page]:
    """The page as a tab sees it that has no key; the browser itself notes each refusal, and no more."""
    opened = Page(browser, locked)
    opened.driver.execute_script("sessionStorage.clear()")
    browser.open(locked)
    opened.wait("document.activeElement.id === 'key'")
    yield opened
    assert [line for line in browser.console() if "v1/" not in line or "401" not in line] == []
    assert browser.outside() == []


def give(page: Page, key: str) -> None:
    page.find("#key").send_keys(Keys.CONTROL, "a")
    page.find("#key").send_keys(key, Keys.ENTER)


def asked(page: Page) -> bool:
    return page.find("#key-form").is_displayed()


def test_the_key_is_asked_for_and_opens_the_page(page: Page, model: LanguageModel) -> None:
    assert asked(page)
    assert page.find("label[for=key]").text == "API key"
    assert page.find("#key").get_attribute("type") == "password"
    assert not page.find("#write").is_enabled()
    assert not page.find("#trouble").is_displayed()
    give(page, "wrong key")
    page.wait("!document.querySelector('#trouble').hidden")
    assert page.find("#trouble").text == REFUSED
    assert not page.find("#write").is_enabled()
    give(page, "right key")
    page.ready()
    assert not asked(page)
    assert not page.find("#trouble").is_displayed()
    text = page.write(prompt="the ", length=100, seed=0)
    assert page.written(text) == model.generate("the ", 100, seed=0)


def test_the_tab_remembers_the_key_and_another_tab_does_not(page: Page, locked: str) -> None:
    give(page, "right key")
    page.ready()
    page.driver.refresh()
    page.ready()
    assert not asked(page)
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    try:
        page.driver.get(locked)
        page.wait("!document.querySelector('#key-form').hidden")
    finally:
        page.driver.close()
        page.driver.switch_to.window(first)


def test_a_key_that_is_no_longer_right_is_asked_for_again(page: Page, model: LanguageModel) -> None:
    give(page, "right key")
    page.ready()
    kept = page.write(prompt="the ", length=20)
    page.driver.execute_script("sessionStorage.setItem('elman-key', 'old')")
    text = page.write(prompt="the ", length=20, seed=1)
    assert REFUSED in text.text
    assert asked(page)
    give(page, "right key")
    page.wait("document.querySelector('#key-form').hidden")
    assert page.written(kept) == model.generate("the ", 20)
    assert page.written(page.write(prompt="the ")) == model.generate("the ", 20, seed=1)


def test_the_field_speaks_chinese(page: Page) -> None:
    page.find("#language").click()
    assert [page.find(f"#key-form {kind}").text for kind in ("label", "button", "small")] == [
        "API 密钥",
        "使用此密钥",
        "此服务器只为持有密钥者服务；关闭此标签页后密钥即被忘记。",
    ]
