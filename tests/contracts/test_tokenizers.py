"""The contract of every tokenizer."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as HuggingFaceTokenizer
from tokenizers import pre_tokenizers

from elman.errors import TokenError
from elman.tokens import Tokenizer, decode, encode_stream, learn_tokenizer, load_tokenizer
from elman.tokens.byte import byte_symbol

KINDS = ["character", "byte", "word", "bpe"]
LEARNED = (
    "To be, or not to be: that is asked.\n 天地玄黃 <unk> it's a don\u2019t  two  spaces\n\n\ttab é 😀\n" * 3
)
TOKENIZERS: dict[str, Tokenizer] = {
    kind: learn_tokenizer(kind, [LEARNED], 300 if kind == "bpe" else None) for kind in KINDS
}
each = pytest.mark.parametrize("kind", KINDS)
seen = st.text(alphabet=sorted(set(LEARNED)))
every_character = st.characters(exclude_categories=())  # lone surrogates too


@pytest.mark.parametrize("kind", ["byte", "bpe"])
@settings(deadline=None)
@given(text=st.text(alphabet=every_character))
@example(text="\ud800a\udfff")
@example(text="\r\n\x00\u2028")
def test_decode_undoes_encode_for_any_text(kind: str, text: str) -> None:
    tokenizer = TOKENIZERS[kind]
    assert decode(tokenizer, tokenizer.encode(text).tolist()) == text
    assert tokenizer.unknown_pieces(text) == []


@settings(deadline=None)
@given(text=seen)
def test_characters_that_were_seen_come_back(text: str) -> None:
    tokenizer = TOKENIZERS["character"]
    assert decode(tokenizer, tokenizer.encode(text).tolist()) == text


@each
def test_the_text_that_was_learned_comes_back(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    assert decode(tokenizer, tokenizer.encode(LEARNED).tolist()) == LEARNED


@each
@settings(deadline=None)
@given(text=st.text(alphabet=st.one_of(st.sampled_from(sorted(set(LEARNED))), st.characters(codec="utf-8"))))
@example(text="Ω天 to be <unk> \n\n  don't")
def test_hugging_face_reads_tokenizer_json_and_gives_the_same_ids(kind: str, text: str) -> None:
    tokenizer = TOKENIZERS[kind]
    backend = HuggingFaceTokenizer.from_str(tokenizer.to_json())
    assert backend.encode(text).ids == tokenizer.encode(text).tolist()
    assert backend.get_vocab_size() == tokenizer.size == len(tokenizer.pieces)


@each
@settings(deadline=None)
@given(
    pieces=st.lists(st.text(alphabet=st.sampled_from(" \n\tabcto'.,天"), min_size=1), min_size=1),
    joined=st.text(alphabet=" \nab", max_size=3),
)
def test_a_text_in_chunks_is_encoded_as_the_whole_text(kind: str, pieces: list[str], joined: str) -> None:
    tokenizer = TOKENIZERS[kind]
    streamed = [token for ids in encode_stream(tokenizer, iter(pieces)) for token in ids.tolist()]
    assert streamed == tokenizer.encode("".join(pieces)).tolist()


@each
def test_a_tokenizer_read_back_from_json_is_the_same(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    again = load_tokenizer(kind, tokenizer.to_json())
    assert list(again.pieces) == list(tokenizer.pieces)
    assert again.to_json() == tokenizer.to_json()
    assert again.unknown == tokenizer.unknown


@each
@settings(deadline=None)
@given(text=st.text(alphabet=st.characters(codec="utf-8")))
def test_unknown_pieces_are_exactly_those_with_the_unknown_id(kind: str, text: str) -> None:
    tokenizer = TOKENIZERS[kind]
    ids, unknown = tokenizer.encode(text).tolist(), tokenizer.unknown_pieces(text)
    assert len(unknown) == sum(token == tokenizer.unknown for token in ids)
    rebuilt = iter(unknown)
    pieces = [
        next(rebuilt).encode() if token == tokenizer.unknown else tokenizer.pieces[token] for token in ids
    ]
    assert b"".join(pieces) == text.encode()


def test_unknown_characters_are_named_in_order() -> None:
    assert TOKENIZERS["character"].unknown_pieces("天Ωa火") == ["Ω", "火"]


def test_too_many_characters_are_refused_with_the_way_out() -> None:
    with pytest.raises(TokenError, match=r"found 20,001 .* at most 20,000.*--encoding.*--tokenizer byte"):
        learn_tokenizer("character", ["".join(map(chr, range(0x4E00, 0x4E00 + 20_001)))])
    assert learn_tokenizer("character", ["".join(map(chr, range(0x4E00, 0x4E00 + 20_000)))]).size == 20_001


def test_words_seen_once_are_unknown_and_the_frequent_come_first() -> None:
    tokenizer = learn_tokenizer("word", ["a b a c a b", " a"], None)
    assert list(tokenizer.pieces) == [b"<unk>", b" a", b" b"]
    assert learn_tokenizer("word", ["a b a c a b a"], 2).size == 2


@settings(deadline=None)
@given(cuts=st.lists(st.integers(0, len(LEARNED)), max_size=6))
def test_words_are_counted_the_same_whatever_the_chunks(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(LEARNED)]
    chunks = [LEARNED[a:b] for a, b in zip(places, places[1:], strict=False)]
    assert learn_tokenizer("word", chunks).to_json() == TOKENIZERS["word"].to_json()


def test_byte_symbols_are_those_of_hugging_face() -> None:
    assert sorted(map(byte_symbol, range(256))) == sorted(pre_tokenizers.ByteLevel.alphabet())
    written = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(" é\n")[0][0]
    assert written == "".join(map(byte_symbol, " é\n".encode()))


def test_a_word_keeps_its_apostrophes_and_the_space_before_it() -> None:
    tokenizer = learn_tokenizer("word", ["it's don\u2019t, " * 2])
    assert list(tokenizer.pieces[1:]) == [" don\u2019t".encode(), b","]
    assert tokenizer.unknown_pieces(" it's, x") == [" it's", " x"]


@each
def test_half_a_surrogate_pair_from_a_command_line_is_encoded(kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    assert len(tokenizer.encode("to \udcff be")) > 0
    assert tokenizer.unknown_pieces("\udcff") == (["\udcff"] if kind in ("character", "word") else [])


def test_words_need_one_that_occurs_twice() -> None:
    with pytest.raises(TokenError, match="none of 4 different words occurs 2 times"):
        learn_tokenizer("word", ["every word differs here"])
