"""Charts put numbers where their axes say they are."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from elman.insight.report.charts import Axis, Line, histogram, line_chart

X, Y = [0.0, 1.0, 2.0, 5.0, 10.0], [3.0, 30.0, 0.3, 300.0, 1.0]


def drawn(logarithmic: bool, *lines: Line) -> ElementTree.Element:
    y_axis = Axis("loss", "{:g}".format, logarithmic)
    return ElementTree.fromstring(line_chart("<&>", lines, Axis("steps", "{:g}".format), y_axis))


def points(line: ElementTree.Element) -> np.ndarray:
    return np.array([[float(number) for number in pair.split(",")] for pair in line.attrib["points"].split()])


def ticks(chart: ElementTree.Element) -> dict[float, float]:
    """The places of the values written along the left side."""
    left = [text for text in chart.iter("text") if text.attrib.get("class") == "end"]
    return {float(text.text or ""): float(text.attrib["y"]) for text in left}


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_line_stands_where_the_values_beside_it_say(logarithmic: bool) -> None:
    chart = drawn(logarithmic, Line("a", X, Y))
    (line,) = chart.iter("polyline")
    places, beside = points(line), ticks(chart)
    scale = np.log10 if logarithmic else np.asarray
    assert len(beside) > 2
    slope, base = np.polyfit(scale(np.array(list(beside))), list(beside.values()), 1)
    np.testing.assert_allclose(places[:, 1], base + slope * scale(np.array(Y)), atol=0.15)
    slope, base = np.polyfit(X, places[:, 0], 1)
    np.testing.assert_allclose(places[:, 0], base + slope * np.array(X), atol=0.1)


def test_zero_is_left_out_of_a_logarithmic_line() -> None:
    (line,) = drawn(True, Line("a", X, [1.0, 0.1, 0.01, 0.0, 0.0])).iter("polyline")
    assert len(points(line)) == 3


def test_points_hold_what_each_line_has_nearest() -> None:
    chart = drawn(False, Line("a", X, Y), Line("b", [0.0, 9.0], [7.0, 8.0]))
    said = [label for _, label in json.loads(chart.attrib["data-points"])]
    assert said == [
        "steps 0: a 3, b 7",
        "steps 1: a 30, b 7",
        "steps 2: a 0.3, b 7",
        "steps 5: a 300, b 8",
        "steps 9: a 1, b 8",
        "steps 10: a 1, b 8",
    ]
    assert chart.attrib["aria-label"] == "<&>"


def test_bars_have_the_heights_of_their_counts() -> None:
    bars = list(ElementTree.fromstring(histogram("x", [4, 0, 2, 1])).iter("rect"))
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert [height / heights[0] for height in heights] == pytest.approx([1, 0.5, 0.25])
    assert [float(bar.attrib["x"]) for bar in bars] == [0, 72, 108]
