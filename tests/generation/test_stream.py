"""Streams: a state is a value, writing many tokens at once changes nothing, searches find what there is."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.config import ModelSettings
from elman.engine import write_by_steps
from elman.engine.onnx import OnnxEngine
from elman.errors import RequestError
from elman.export import export
from elman.generation import Sampling, Stream, StreamState, forbid, opening, search
from elman.generation.stop import Stops
from elman.model import Network, TorchEngine
from elman.tokens import Tokenizer, learn_tokenizer

LEARNED = "the cat sat on a mat\n"


@pytest.fixture(scope="module")
def made() -> tuple[OnnxEngine, TorchEngine, Tokenizer]:
    tokenizer = learn_tokenizer("character", [LEARNED])
    torch.manual_seed(0)
    network = Network(ModelSettings(hidden_size=32, embedding_size=8), tokenizer.size).eval()
    for parameter in network.parameters():
        parameter.data *= 3
    return OnnxEngine(export(network)), TorchEngine(network), tokenizer


def write(stream: Stream, length: int, seed: int = 0, **sampling: object) -> str:
    return "".join(stream.text(length, Sampling(**sampling), seed))


@pytest.mark.parametrize("how", [{}, {"temperature": 0.7}, {"greedy": True}, {"top_k": 5}, {"top_p": 0.9}])
def test_both_engines_write_the_same_text(made: tuple, how: dict) -> None:
    onnx, torch_engine, tokenizer = made
    texts = [write(Stream.after(engine, tokenizer, "the "), 500, 7, **how) for engine in (onnx, torch_engine)]
    assert texts[0] == texts[1]


def test_many_tokens_at_once_are_those_chosen_one_by_one(made: tuple) -> None:
    """Top-p of 1 cuts nothing, and goes the other way."""
    onnx, _, tokenizer = made
    at_once = write(Stream.after(onnx, tokenizer, "the "), 300, 3)
    assert at_once == write(Stream.after(onnx, tokenizer, "the "), 300, 3, top_p=1.0)


def test_a_state_is_a_value_to_rewind_to_and_to_fork_from(made: tuple) -> None:
    onnx, _, tokenizer = made
    stream = Stream.after(onnx, tokenizer, "the cat")
    kept = stream.state
    first = write(stream, 50, 1)
    end = stream.state
    assert write(stream, 20, 2) != first[:20]
    stream.state = kept
    assert write(stream, 50, 1) == first
    assert write(Stream(onnx, tokenizer, kept), 50, 1) == first
    for part, other in zip(stream.state.memory, end.memory, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        end.memory[0][0] = 0


@settings(deadline=None, max_examples=30)
@given(taken=st.integers(0, 40))
def test_a_state_is_that_of_the_tokens_that_were_taken_and_no_more(made: tuple, taken: int) -> None:
    onnx, _, tokenizer = made
    stream = Stream.after(onnx, tokenizer, "a mat")
    tokens = stream.tokens(41, Sampling(), np.random.default_rng(5))
    ids = [next(tokens) for _ in range(taken)]
    expected = Stream.after(
        onnx, tokenizer, "a mat" + "".join(tokenizer.pieces[i].decode() for i in ids)
    ).state
    assert stream.state.recent == expected.recent
    for part, other in zip(stream.state.memory, expected.memory, strict=True):
        np.testing.assert_allclose(part, other, rtol=0, atol=1e-5)


def test_reading_more_is_reading_it_at_once(made: tuple) -> None:
    onnx, _, tokenizer = made
    stream = Stream.after(onnx, tokenizer, "the cat")
    _ = stream.state
    stream.read(" sat")
    assert write(stream, 50) == write(Stream.after(onnx, tokenizer, "the cat sat"), 50)


@given(
    pieces=st.lists(st.text("abc", max_size=3), max_size=12),
    stops=st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
)
def test_a_text_ends_before_the_first_stop_string(pieces: list[str], stops: list[str]) -> None:
    found, passed = Stops(stops), ""
    for piece in pieces:
        passed += found.pass_on(piece)
        if found.found:
            break
    passed += found.rest()
    whole = "".join(pieces)
    ends = [whole.find(stop) for stop in stops if stop in whole]
    if found.found:
        # it ends before the one that is complete first
        complete = min(whole.find(stop) + len(stop) for stop in stops if stop in whole)
        assert passed in {whole[:end] for end in ends}
        assert len(passed) < complete
        assert not any(stop in passed for stop in stops)
    else:
        assert not ends
        assert passed == whole


def test_a_stop_string_of_nothing_is_refused() -> None:
    with pytest.raises(RequestError, match="a stop string is empty"):
        Stops(["x", ""])


def test_one_stop_string_needs_no_list() -> None:
    assert Stops("at").pass_on("the cat") == "the c"


def same_place(stream: Stream, other: Stream) -> None:
    assert stream.state.recent == other.state.recent
    for part, expected in zip(stream.state.memory, other.state.memory, strict=True):
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    stops=st.lists(st.text("the cason\n", min_size=1, max_size=3), min_size=1, max_size=3),
    how=st.sampled_from(
        [Sampling(temperature=0.5), Sampling(temperature=0.5, top_k=9), Sampling(greedy=True)]
    ),
    seed=st.integers(0, 9),
)
def test_the_state_is_that_after_the_text_that_was_passed_on_piece_by_piece(
    made: tuple, stops: list[str], how: Sampling, seed: int
) -> None:
    """Of what a stop string holds back, or cut off, the state knows nothing."""
    onnx, _, tokenizer = made
    stream, passed = Stream.after(onnx, tokenizer, "the "), ""
    for piece in stream.text(40, how, seed, stops):
        passed += piece
        same_place(stream, Stream.after(onnx, tokenizer, "the " + passed))
    same_place(stream, Stream.after(onnx, tokenizer, "the " + passed))
    assert not any(stop in passed for stop in stops)


@pytest.mark.parametrize("search", ["best", "beam"])
def test_a_searched_text_with_a_stop_string_leaves_the_state_where_it_ends(made: tuple, search: str) -> None:
    onnx, _, tokenizer = made
    whole = Stream.after(onnx, tokenizer, "the ")
    given = (3, 30, Sampling(), 4) if search == "best" else (3, 30)
    stop = getattr(whole, search)(*given)[11:14]
    stream = Stream.after(onnx, tokenizer, "the ")
    text = getattr(stream, search)(*given, stop=stop)
    assert len(text) <= 11
    same_place(stream, Stream.after(onnx, tokenizer, "the " + text))


def test_where_a_stop_string_begins_within_a_token_the_state_stands_before_that_token() -> None:
    tokenizer = learn_tokenizer("word", ["the cat sat on a mat\n" * 9])
    torch.manual_seed(0)
    engine = TorchEngine(Network(ModelSettings(hidden_size=16), tokenizer.size).eval())
    stream = Stream.after(engine, tokenizer, "the")
    banned = [n for n, piece in enumerate(tokenizer.pieces) if not piece.endswith(b"at")]
    text = "".join(stream.text(9, Sampling(), 0, stop=["t"], forbidden=banned))
    assert text in (" ca", " sa", " ma", "a")
    same_place(stream, Stream.after(engine, tokenizer, "the"))


def test_a_state_of_another_model_or_of_nothing_is_refused(made: tuple) -> None:
    onnx, _, tokenizer = made
    stream = Stream.after(onnx, tokenizer, "the ", model="one")
    stream.state = Stream.after(onnx, tokenizer, "a mat", model="one").state
    with pytest.raises(RequestError, match="one of another model"):
        stream.state = Stream.after(onnx, tokenizer, "a mat", model="two").state
    with pytest.raises(RequestError, match="the state is 5, expected one that a stream of this model had"):
        stream.state = 5
    "".join(stream.text(70, Sampling(), 0))
    assert stream.state.model == "one"


def test_where_every_token_is_forbidden_nothing_is_begun(made: tuple) -> None:
    onnx, _, tokenizer = made
    stream = Stream.after(onnx, tokenizer, "the ")
    with pytest.raises(RequestError, match="every token is forbidden"):
        stream.text(9, Sampling(), 0, forbidden=range(tokenizer.size))
    with pytest.raises(RequestError, match="every token is forbidden"):
        stream.beam(2, 9, forbidden=range(tokenizer.size))


def test_beams_find_the_likeliest_text_of_all_where_there_are_enough() -> None:
    torch.manual_seed(3)
    network = Network(ModelSettings(cell="gru", hidden_size=6, embedding_size=3), 4)
    for parameter in network.parameters():
        parameter.data *= 4
    engine, length = TorchEngine(network), 4
    state = StreamState(engine.initial_state(1), (2,))
    bias = forbid(4, [1])
    nats = {}
    for text in product((0, 2, 3), repeat=length):
        logits, _ = engine.feed(np.array([[2, *text[:-1]]]).T, state.memory)
        logs = torch.log_softmax(torch.tensor(logits[:, 0] + bias).double(), dim=-1)
        nats[text] = -float(sum(logs[step, token] for step, token in enumerate(text)))
    ranked = sorted(nats.items(), key=lambda item: item[1])
    found = search(engine, state, length, 3**3, bias)
    for beam, (text, expected) in zip(found[:5], ranked[:5], strict=True):
        assert beam.tokens == text
        assert beam.nats == pytest.approx(expected, abs=1e-5)
    (greedy,) = search(engine, state, length, 1, bias)
    assert greedy.nats >= found[0].nats - 1e-6
    drawn = list(
        Stream(engine, learn_tokenizer("character", ["abc"]), state).tokens(
            length, Sampling(greedy=True), np.random.default_rng(0), [1]
        )
    )
    assert drawn == list(greedy.tokens) or 0 in greedy.tokens  # a stream never writes the unknown token


def test_the_best_of_several_is_the_least_surprising_and_the_stream_goes_on_after_it(made: tuple) -> None:
    onnx, torch_engine, tokenizer = made
    stream = Stream.after(onnx, tokenizer, "the ")
    best = stream.best(6, 30, Sampling(), 10)
    costs = {}
    for seed in range(10, 16):
        text = write(Stream.after(onnx, tokenizer, "the "), 30, seed)
        ids = tokenizer.encode("the " + text)
        logits, _ = torch_engine.feed(ids[:-1, np.newaxis], torch_engine.initial_state(1))
        logs = torch.log_softmax(torch.tensor(logits[3:, 0]), dim=-1)
        costs[text] = -float(logs[torch.arange(30), torch.tensor(ids[4:].astype(np.int64))].sum())
    assert best == min(costs, key=costs.__getitem__)
    assert write(stream, 20) == write(Stream.after(onnx, tokenizer, "the " + best), 20)


def test_the_surprise_of_a_text_is_its_cross_entropy_and_the_stream_stays_where_it_is(made: tuple) -> None:
    onnx, torch_engine, tokenizer = made
    stream = Stream.after(onnx, tokenizer, "the ")
    ids = tokenizer.encode("the cat sat").astype(np.int64)
    logits, _ = torch_engine.feed(ids[:-1, np.newaxis], torch_engine.initial_state(1))
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits[3:, 0]), torch.tensor(ids[4:]), reduction="sum"
    )
    before = stream.state
    assert stream.surprise("cat sat") == pytest.approx(float(expected), rel=1e-5)
    assert stream.state is before


def test_min_p_keeps_what_is_that_share_as_likely_as_the_likeliest() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.12, 0.08], dtype=np.float32))
    found = Sampling(min_p=0.2).probabilities(logits)
    np.testing.assert_allclose(found, np.array([0.5, 0.3, 0.12, 0]) / 0.92, atol=1e-6)


def test_the_penalty_divides_what_is_positive_and_multiplies_what_is_negative() -> None:
    logits = np.array([2.0, -1.0, 0.5], dtype=np.float32)
    found = Sampling(repetition_penalty=2.0).probabilities(logits, recent=[0, 1, 1])
    expected = torch.softmax(torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64), 0)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_forbidden_tokens_are_not_written(made: tuple) -> None:
    onnx, _, tokenizer = made
    banned = tokenizer.encode("at").tolist()
    stream = Stream.after(onnx, tokenizer, "the ")
    for how in (Sampling(), Sampling(top_k=4), Sampling(greedy=True)):
        text = "".join(stream.text(100, how, 0, forbidden=banned))
        assert not set(text) & set("at")


def test_an_engine_that_only_steps_writes_the_same(made: tuple) -> None:
    onnx, _, tokenizer = made
    state = Stream.after(onnx, tokenizer, "the ").state
    how = Sampling(temperature=0.8)
    bias = forbid(tokenizer.size, [tokenizer.unknown])
    ids = np.array([[state.token]])
    pair = [
        write_with(ids, state.memory, how.draws(np.random.default_rng(2), 50, bias)).ids.tolist()
        for write_with in (onnx.write, lambda *given: write_by_steps(onnx, *given))
    ]
    assert pair[0] == pair[1]


def test_without_a_prompt_a_text_starts_after_a_new_line_where_there_is_one() -> None:
    assert opening(learn_tokenizer("character", [LEARNED])) == "\n"
    assert opening(learn_tokenizer("character", ["abc"])) == "c"
