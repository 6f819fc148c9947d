"""Sampling against its definition, and streams against the whole sequence."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from elman.config import ModelSettings
from elman.engine import Draws, Ids, Logits, State, Written, write_by_steps
from elman.errors import RequestError
from elman.generation import Sampling, Stream, forbid
from elman.model import Network, TorchEngine
from elman.tokens import Tokenizer, learn_tokenizer

numbers = st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=30)


def softmax(logits: list[float], temperature: float = 1.0) -> np.ndarray:
    return torch.softmax(torch.tensor(logits, dtype=torch.float64) / temperature, 0).numpy()


@given(logits=numbers, temperature=st.floats(0.1, 5))
def test_temperature_divides_the_logits(logits: list[float], temperature: float) -> None:
    found = Sampling(temperature=temperature).probabilities(np.array(logits, dtype=np.float32))
    np.testing.assert_allclose(found, softmax(logits, temperature), atol=1e-12)


@given(logits=numbers, k=st.integers(1, 40))
def test_top_k_keeps_the_k_most_likely_in_their_proportion(logits: list[float], k: int) -> None:
    found, full = Sampling(top_k=k).probabilities(np.array(logits, dtype=np.float32)), softmax(logits)
    kept = found > 0
    assert kept.sum() == min(k, len(logits))
    assert full[kept].min() >= (full[~kept].max() if (~kept).any() else 0)
    np.testing.assert_allclose(found[kept], full[kept] / full[kept].sum(), atol=1e-12)


@given(logits=numbers, p=st.floats(0.05, 1))
@example(logits=[0.0, 0.0, 0.0, 0.0, 0.28125, 2.220446049250313e-16, -3.5], p=0.5)
def test_top_p_keeps_the_smallest_set_that_holds_the_share(logits: list[float], p: float) -> None:
    found, full = Sampling(top_p=p).probabilities(np.array(logits, dtype=np.float32)), softmax(logits)
    kept = found > 0
    assert full[kept].sum() >= p - 1e-12
    assert full[kept].sum() - full[kept].min() < p + 1e-12
    assert full[kept].min() >= (full[~kept].max() if (~kept).any() else 0)


def test_drawn_frequencies_are_the_probabilities() -> None:
    logits, random = np.array([1.0, 0.0, 2.0, -1.0], dtype=np.float32), np.random.default_rng(0)
    sampling, draws = Sampling(), 20_000
    counts = np.bincount([sampling.choose(logits, random) for _ in range(draws)], minlength=4)
    expected = softmax(logits.tolist()) * draws
    assert ((counts - expected) ** 2 / expected).sum() < 16.3  # chi-squared, 3 degrees: one in a thousand


def test_the_forbidden_token_is_never_chosen() -> None:
    logits, random = np.array([0.0, 9.0, 0.0], dtype=np.float32), np.random.default_rng(0)
    assert Sampling(greedy=True).choose(logits, random, forbid(3, [1])) == 0
    assert all(Sampling().choose(logits, random, forbid(3, [1])) != 1 for _ in range(200))
    assert Sampling(greedy=True).choose(logits, random) == 1


def test_all_wrong_options_are_named_in_one_line() -> None:
    with pytest.raises(RequestError) as error:
        Sampling(temperature=-1, top_k=0, top_p=1.5)
    assert str(error.value) == (
        "temperature is -1, expected 0 or more; top-k is 0, expected 1 or more; "
        "top-p is 1.5, expected more than 0 and at most 1"
    )
    for wrong in ({"temperature": float("nan")}, {"temperature": float("inf")}, {"top_p": float("nan")}):
        with pytest.raises(RequestError):
            Sampling(**wrong)


@given(logits=numbers)
@example(logits=[0.0, 6.4e-31])
def test_temperature_zero_takes_the_first_of_the_likeliest(logits: list[float]) -> None:
    given, random = np.array(logits, dtype=np.float32), np.random.default_rng(0)
    assert Sampling(temperature=0).choose(given, random) == int(np.argmax(given))
    assert (Sampling(temperature=0).draws(random, 5, given).uniforms == 0).all()


@pytest.mark.parametrize("wrong", ["hot", None, True, [1]])
def test_a_temperature_that_is_no_number_is_refused(wrong: object) -> None:
    with pytest.raises(RequestError) as error:
        Sampling(temperature=wrong, top_k=1.5)
    assert str(error.value) == (
        f"temperature is {wrong!r}, expected a number; top_k is 1.5, expected a whole number"
    )


LEARNED = "天地玄黃，宇宙洪荒。the end 😀\n"


def made(kind: str) -> tuple[TorchEngine, Tokenizer]:
    tokenizer = learn_tokenizer(kind, [LEARNED])
    torch.manual_seed(0)
    return TorchEngine(
        Network(ModelSettings(hidden_size=16, embedding_size=8), tokenizer.size).eval()
    ), tokenizer


@pytest.mark.parametrize("kind", ["character", "byte", "bpe"])
@settings(deadline=None, max_examples=20)
@given(prompt=st.text(alphabet=LEARNED, min_size=1, max_size=30), cut=st.integers(1, 29))
def test_a_prompt_fed_by_character_equals_a_prompt_fed_at_once(kind: str, prompt: str, cut: int) -> None:
    engine, tokenizer = made(kind)
    reached = Stream.after(engine, tokenizer, prompt).state
    *ids, last = tokenizer.encode(prompt).tolist()
    state = engine.initial_state(1)
    for token in ids:
        _, state = engine.step(np.array([token]), state)
    assert reached.token == last
    for found, expected in zip(reached.memory, state, strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["byte", "bpe"])
def test_streamed_pieces_are_whole_characters_and_join_to_the_decoded_text(kind: str) -> None:
    engine, tokenizer = made(kind)
    random = np.random.Generator(np.random.PCG64(3))
    ids = Stream.after(engine, tokenizer, "天").tokens(400, Sampling(temperature=2.0), random)
    pieces = list(Stream.after(engine, tokenizer, "天").text(400, Sampling(temperature=2.0), seed=3))
    assert "".join(pieces) == b"".join(tokenizer.pieces[token] for token in ids).decode("utf-8", "replace")
    spelled = iter(LEARNED.encode())  # an engine that writes the text byte by byte

    class Writer:
        name, vocabulary_size = "writer", 256

        def initial_state(self, rows: int) -> State:
            return ()

        def feed(self, ids: Ids, state: State) -> tuple[Logits, State]:
            logits = np.zeros((*ids.shape, 256), dtype=np.float32)
            logits[..., next(spelled, 10)] = 1.0
            return logits, ()

        def write(self, ids: Ids, state: State, draws: Draws) -> Written:
            return write_by_steps(self, ids, state, draws)  # type: ignore[arg-type]

    length = len(LEARNED.encode())
    written = Stream.after(Writer(), learn_tokenizer("byte", []), "x").text(
        length, Sampling(greedy=True), seed=0
    )
    assert list(written) == list(LEARNED)


def test_the_unknown_token_is_never_written() -> None:
    engine, tokenizer = made("character")
    with torch.no_grad():
        engine.network.decoder.bias[0] = 50.0
    assert "<unk>" not in "".join(Stream.after(engine, tokenizer, "the").text(200, Sampling(), seed=0))


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(RequestError, match="the prompt is empty"):
        Stream.after(*made("byte"), "")
