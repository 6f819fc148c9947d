"""The fingerprint: the same for the same bytes, another for any other."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from elman.errors import TextError
from elman.text import find_sources, fingerprint

lists_of_bytes = st.lists(st.binary(max_size=10), max_size=4)


@given(lists_of_bytes, lists_of_bytes)
def test_two_lists_of_sources_share_a_fingerprint_only_where_they_are_equal(in_pieces, first, second):
    same = fingerprint([in_pieces(raw) for raw in first]) == fingerprint([in_pieces(raw) for raw in second])
    assert same == (first == second)


def test_moving_a_boundary_between_sources_changes_the_fingerprint(in_pieces):
    lists = [[b"abcd"], [b"ab", b"cd"], [b"abc", b"d"], [b"abcd", b""], [b"", b"abcd"]]
    assert len({fingerprint([in_pieces(raw) for raw in raws]) for raws in lists}) == len(lists)


def test_the_size_of_the_reads_does_not_count(in_pieces):
    assert fingerprint([in_pieces(b"ab", b"c", b"d")]) == fingerprint([in_pieces(b"abcd")])


def test_the_encoding_counts_and_its_spelling_does_not(in_pieces):
    source = in_pieces(b"text")
    assert fingerprint([source], "UTF8") == fingerprint([source], "utf-8")
    assert fingerprint([source], "latin-1") != fingerprint([source], "utf-8")


def test_names_and_packing_do_not_count_and_raw_bytes_are_all_reported(tmp_path):
    raw = b"a line of text\n" * 200_000
    (tmp_path / "plain.txt").write_bytes(raw)
    (tmp_path / "packed.txt.gz").write_bytes(gzip.compress(raw))
    seen = []
    plain, packed = (
        fingerprint(find_sources([str(tmp_path / name)]), advance=seen.append)
        for name in ("plain.txt", "packed.txt.gz")
    )
    assert plain == packed
    assert sum(seen) == 2 * len(raw)


def test_the_fingerprint_is_pinned_for_it_names_folders_on_disk(in_pieces):
    assert fingerprint([in_pieces(b"hello"), in_pieces(b"ohlol")]) == (
        "ae05302f468816d5aba3a6f0d5b802e6dc310034d70cf7362374c36194ff3cea"
    )


def test_an_unknown_encoding_is_refused_before_anything_is_read(in_pieces):
    with pytest.raises(TextError, match="unknown encoding 'utf-99'"):
        fingerprint([in_pieces(b"text")], "utf-99")
