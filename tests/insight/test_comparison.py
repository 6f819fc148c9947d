"""The picture of several runs: what is drawn is what was measured, in one unit, and can be read."""

import json
import math
import shutil
import warnings
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ft2font import FT2Font
from rich.cells import cell_len

from elman import LanguageModel
from elman.errors import RequestError
from elman.insight.comparison.lettering import font_families, legible, shorten, wrap
from elman.insight.comparison.panels import score_limits
from elman.insight.comparison.picture import compose, draw, picture_format
from elman.runs.compared import Point, Sample, Shown, differences, distinct_names, read_compared

ROW = {"bits_per_byte": 2.0, "parameters": 10, "tokens_per_second": 5.0, "baselines": {"lzma": 2.5}}
SAMPLE = Sample("to be\nor not", written=True)


def shown(name: str, bits: list[float], score: float | None = None, leak: str | None = None) -> Shown:
    curve = [Point(10 * (n + 1), 0.5 * (n + 1), value) for n, value in enumerate(bits)]
    row = ROW | {"bits_per_byte": score, "leak": leak} if score else None
    return Shown(name, row, leak, curve, SAMPLE)


def words(picture: bytes) -> list[str]:
    root = ElementTree.fromstring(picture)
    return [
        (text.text or "").replace("\u00a0", " ") for text in root.iter("{http://www.w3.org/2000/svg}text")
    ]


def panels(figure: Figure) -> dict[str, matplotlib.axes.Axes]:
    return {axes.get_title(loc="left"): axes for axes in figure.axes}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache, and models of bytes and of words; the words after the first half are new ones."""
    folder = tmp_path_factory.mktemp("comparison")
    known = "".join(f"the cat saw dog {n % 7} run by a red door.\n" for n in range(180))
    (folder / "text.txt").write_text(known + "".join(f"the cat saw new{n} run by.\n" for n in range(40)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ELMAN_CACHE", str(folder / "cache"))
        for tokenizer in ("byte", "word"):
            settings = {"tokenizer": tokenizer, "model.hidden_size": 16, "model.embedding_size": 8}
            LanguageModel.train(
                folder / "text.txt", out=folder / tokenizer, steps=60, settings=settings | {"split": "80/20"}
            )
    return folder


def test_points_drawn_are_those_of_metrics_in_bits_per_byte(folders: Path) -> None:
    """A byte model has one byte in a token, so that its bits per byte are its nats by ln 2."""
    (run,) = read_compared([folders / "byte"])
    rows = [json.loads(line) for line in (folders / "byte" / "metrics.jsonl").read_text().splitlines()]
    rows = [row for row in rows if row["event"] == "validation"]
    figure = compose([Shown("byte", run.row(), None, run.curve(folders / "cache"), SAMPLE)], "samples")
    for title, key in (("Score by step", "step"), ("Score by second", "seconds")):
        (line,) = panels(figure)[title].lines
        assert list(line.get_xdata()) == [row[key] for row in rows]
        expected = [row["nats_per_token"] / math.log(2) for row in rows]
        assert list(line.get_ydata()) == pytest.approx(expected, rel=1e-12)
    assert len(rows) == 12


def test_the_curve_of_a_word_model_ends_at_its_result_with_the_spelling_of_new_words_paid(
    folders: Path,
) -> None:
    """The last validation is of the weights and of the tokens that the result is of, from a cold state."""
    (run,) = read_compared([folders / "word"])
    assert run.result is not None
    validation = run.result["validation"]
    assert validation["spelling_nats"] > 0.1 * validation["nats_per_token"] * validation["tokens"]
    assert run.curve(folders / "cache")[-1].bits_per_byte == pytest.approx(
        validation["bits_per_byte"], rel=0.02
    )


@pytest.mark.parametrize("tokenizer", ["byte", "word"])
def test_an_unfinished_run_has_the_curve_of_the_finished_one(
    folders: Path, tmp_path: Path, tokenizer: str
) -> None:
    shutil.copytree(folders / tokenizer, tmp_path / "cut")
    lines = (folders / tokenizer / "metrics.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "cut" / "metrics.jsonl").write_text("".join(lines[:-1]))
    cut, whole = read_compared([tmp_path / "cut", folders / tokenizer])
    assert cut.row() is None
    for one, other in zip(cut.curve(folders / "cache"), whole.curve(folders / "cache"), strict=True):
        assert one == pytest.approx(other, rel=1e-12)
    assert cut.curve(tmp_path / "empty cache") == []
    assert whole.curve(tmp_path / "empty cache") == whole.curve(folders / "cache")


@given(some.lists(some.lists(some.sampled_from("ab"), min_size=1, max_size=4), min_size=1, max_size=5))
def test_names_tell_different_paths_apart_and_are_parts_of_them(parts: list[list[str]]) -> None:
    paths = [Path(*path) for path in parts]
    names = distinct_names(paths)
    assert len(set(names)) == len(set(paths))
    assert all(name and f"/{name}/" in f"{path.absolute()}/" for name, path in zip(names, paths, strict=True))


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/lstm/seed0", "runs/gru/seed0"], ["lstm", "gru"]),
        (["runs/lstm/0", "runs/lstm/1", "runs/gru/0"], ["lstm/0", "lstm/1", "gru/0"]),
        (["models/book"], ["book"]),
        (["models", "models/book"], ["models", "models/book"]),
    ],
)
def test_a_name_is_the_shortest_part_that_differs(paths: list[str], names: list[str]) -> None:
    assert distinct_names([Path(path) for path in paths]) == names


def test_scores_of_other_texts_splits_or_tasks_are_said_not_to_compare() -> None:
    row = {"text": "a", "split": "90/10", "baselines": {"lzma": 2.0, "unigram": 4.0}}
    assert differences([row, row | {"baselines": {"unigram": 4.0, "lzma": 2.0}}]) == []
    (task,) = differences([row, row | {"baselines": {"neighbours": 1.0}}])
    assert "different baselines" in task
    both = differences([row, row | {"text": "b", "split": "80/20", "baselines": {}}])
    assert [said.partition(";")[0].split()[-1] for said in both] == ["texts", "splits"]


def test_limits_hold_the_best_of_every_run_and_neither_the_first_outlier_nor_a_leak() -> None:
    falling = shown("falling", [90.0, *(3 - 0.1 * n for n in range(11))])
    poor, leaky = shown("poor", [5.0, 4.0]), shown("leaky", [3.0, 0.1], leak="it peeks")
    limits = score_limits([falling, leaky])
    assert limits is not None
    low, high = limits
    assert 1.5 < low < 2.0
    assert 2.7 < high < 3.5
    assert score_limits([falling, poor])[1] > 4.0  # type: ignore[index]
    assert score_limits([leaky])[0] < 0.1  # type: ignore[index]
    assert score_limits([shown("none", [])]) is None
    assert score_limits([shown("lost", [float("nan"), 2.0])]) == pytest.approx((1.9, 2.1))


def test_a_leak_has_a_dashed_curve_no_score_and_says_why() -> None:
    runs = [shown("good", [3.0, 2.0], 2.0), shown("leaky", [2.0, 0.1], 0.1, leak="it peeks")]
    drawn = panels(compose(runs, "samples"))
    assert [line.get_linestyle() for line in drawn["Score by step"].lines] == ["-", "--"]
    assert [list(line.get_xdata()) for line in drawn["Score of the result"].lines] == [[2.0]]
    said = words(draw(runs, "samples", [], ".svg"))
    assert "leaky (sees what it has to predict)" in said
    assert "no quality: sees what it has to predict" in said
    assert "0.100" not in said


def test_a_run_has_one_colour_throughout_and_the_best_stands_first() -> None:
    scores = [2.5, 2.1, 2.9, 2.3, 2.2, 2.8, 2.4, 2.7]
    runs = [shown(f"run{n}", [3.0, score], score) for n, score in enumerate(scores)]
    figure = compose(runs, "samples")
    drawn = panels(figure)
    curves = [line.get_color() for line in drawn["Score by second"].lines]
    assert len(set(curves)) == len(runs)
    best_first = sorted(range(len(runs)), key=scores.__getitem__)
    result = drawn["Score of the result"]
    assert [text.get_text() for text in result.get_yticklabels()] == [f"run{n}" for n in best_first]
    assert result.get_ylim()[0] > result.get_ylim()[1]  # the first is on top
    assert [dot.get_color() for dot in result.lines] == [curves[n] for n in best_first]
    bars = [matplotlib.colors.to_hex(bar.get_facecolor()) for bar in drawn["Parameters"].patches]
    assert bars == [curves[n] for n in best_first]
    cards = [matplotlib.colors.to_hex(drawn[f"run{n}"].spines["left"].get_edgecolor()) for n in range(8)]
    assert cards == curves


def test_budgets_that_differ_much_stand_on_a_logarithmic_axis() -> None:
    short, long = shown("short", [3.0, 2.5]), shown("long", [3.0] * 60)
    assert panels(compose([short], "samples"))["Score by step"].get_xscale() == "linear"
    assert panels(compose([short, long], "samples"))["Score by step"].get_xscale() == "log"


@pytest.mark.parametrize("suffix", [".svg", ".PNG"])
def test_the_same_runs_give_the_same_bytes_whatever_the_caller_has_set(suffix: str) -> None:
    runs = [shown("one", [3.0, 2.0], 2.0), shown("two", [3.0, 2.5])]
    first = draw(runs, "samples", ["a note"], suffix)
    with matplotlib.rc_context({"lines.linewidth": 9, "svg.hashsalt": "other", "font.size": 20}):
        assert draw(runs, "samples", ["a note"], suffix) == first
        assert matplotlib.rcParams["lines.linewidth"] == 9


@pytest.mark.parametrize("suffix", ["", ".pdf", ".svgz"])
def test_another_suffix_is_refused(suffix: str) -> None:
    with pytest.raises(RequestError, match=r"expected \.svg or \.png"):
        picture_format(suffix)


STRANGE = "$x_1$ costs $5 & <b>\n\u5c71\u6c34\u3002 \x00\x1b\ufffe \U00013000\n"


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_samples_and_names_stay_in_their_places(count: int) -> None:
    text = Sample(STRANGE + 40 * "long " + 100 * "\u5c71" + 200 * "W" + 20 * "\nline", written=True)
    runs = [shown(f"_{n}{STRANGE}{30 * 'name'}", [3.0, 2.0], 2.0)._replace(sample=text) for n in range(count)]
    figure = compose(runs, "samples", ["a note"])
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings(action="ignore"):  # `draw` is silent of what no font has, and `compose` not
        canvas.draw()
    cards = [axes for axes in figure.axes if axes.texts and not axes.get_xticks().size and axes.axison]
    assert len(cards) == count
    for axes in cards:
        card, sample = axes.get_window_extent(), axes.texts[0].get_window_extent()
        assert card.x0 < sample.x0 < sample.x1 < card.x1
        assert card.y0 < sample.y0 < sample.y1 < card.y1
    for axes in figure.axes:
        assert figure.bbox.x0 <= axes.get_tightbbox().x0
        assert axes.get_tightbbox().x1 <= figure.bbox.x1
    (legend,) = figure.subfigs[0].legends
    assert legend.get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_strange_text_is_drawn_as_it_is_and_without_a_warning(suffix: str) -> None:
    """Warnings are errors here; the hieroglyph is in no font of most machines."""
    runs = [shown("_$a$", [3.0, 2.0], 2.0)._replace(sample=Sample(STRANGE, written=True))]
    picture = draw(runs, "samples", [], suffix)
    if suffix == ".png":
        assert picture.startswith(b"\x89PNG")
    else:
        said = words(picture)
        assert {"_$a$", "$x_1$ costs $5 & <b>", "\u5c71\u6c34\u3002 \ufffd\ufffd\ufffd \U00013000"} < set(
            said
        )


def test_fonts_have_every_character_that_an_installed_font_has() -> None:
    text = "A\u5c71\u0416\U00013000"
    installed = [font for font in fontManager.ttflist if not font.name.startswith("Last Resort")]
    families = font_families("DejaVu Sans Mono", text)
    assert families[0] == "DejaVu Sans Mono"

    def characters(fonts: list[matplotlib.font_manager.FontEntry]) -> set[str]:
        return {c for font in fonts for c in text if FT2Font(font.fname).get_char_index(ord(c))}

    assert characters([font for font in installed if font.name in families]) == characters(installed)
    assert font_families("DejaVu Sans", "plain") == ["DejaVu Sans"]


@given(some.text(some.characters(codec="utf-8"), max_size=80), some.integers(5, 20))
def test_folding_loses_nothing_but_space_and_keeps_to_the_columns(text: str, columns: int) -> None:
    lines = wrap(text, columns, 1000)
    assert max(map(cell_len, lines)) <= columns
    assert "".join("".join(lines).split()) == "".join(legible(text).split())
    assert cell_len(shorten(text, columns)) <= columns


def test_words_are_kept_whole_where_they_fit() -> None:
    assert wrap("to be or not to be", 8, 9) == ["to be or", "not to", "be"]
    assert wrap("\u5c71\u6c34\u82b1\u6708", 5, 9) == ["\u5c71\u6c34", "\u82b1\u6708"]
    assert wrap("one\ntwo\nthree", 8, 2) == ["one", "two\u2026"]
