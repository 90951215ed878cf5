from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from recommender.errors import GrowthError
from recommender.training.interval_svg import Axis, IntervalRow, interval_svg

ROWS = [IntervalRow("short <texts>", 0.5, 0.25, 1.0, 12), IntervalRow("long texts", 0.0, 0.0, 0.5, 3)]
SVG = "{http://www.w3.org/2000/svg}"


def test_a_mean_is_a_point_on_its_bar_at_its_place_on_the_axis() -> None:
    picture = ElementTree.fromstring(interval_svg(ROWS, "Quality", "nDCG@5"))
    first, second = picture.findall(f"{SVG}circle")
    # The axis runs from 190 to 530.
    assert [first.get("cx"), second.get("cx")] == ["360.0", "190.0"]
    bar = picture.findall(f"{SVG}line[@class='int-bar']")[0]
    assert (bar.get("x1"), bar.get("x2")) == ("275.0", "530.0")
    assert bar.get("y1") == first.get("cy")


def test_the_picture_says_its_figures_in_words_and_breaks_on_no_character() -> None:
    picture = ElementTree.fromstring(interval_svg(ROWS, "A & B", "x"))
    assert picture.find(f"{SVG}title").text == "A & B"
    assert "short <texts>: 0.500 [0.250, 1.000], n 12" in picture.find(f"{SVG}desc").text


def test_the_same_rows_give_the_same_bytes_and_none_is_refused() -> None:
    assert interval_svg(ROWS, "a", "b") == interval_svg(list(ROWS), "a", "b")
    with pytest.raises(GrowthError):
        interval_svg([], "a", "b")


def test_differences_lie_around_0_in_the_middle_of_an_axis_as_wide_as_they_need() -> None:
    rows = [IntervalRow("more", 0.01, -0.004, 0.024, 9), IntervalRow("none", 0.0, 0.0, 0.0, 9)]
    axis = Axis.around_zero(rows)
    assert (axis.low, axis.high) == pytest.approx((-0.03, 0.03))
    picture = ElementTree.fromstring(interval_svg(rows, "Gain", "more", axis))
    first, second = picture.findall(f"{SVG}circle")
    assert second.get("cx") == "360.0" and first.get("cx") == "416.7"
    ticks = [text.text for text in picture.findall(f"{SVG}text[@class='int-small']")]
    assert ticks == ["-0.030", "-0.015", "0.000", "0.015", "0.030"]


def test_an_axis_without_any_difference_is_no_line_of_width_0() -> None:
    assert Axis.around_zero([IntervalRow("none", 0.0, 0.0, 0.0, 9)]).high == 0.001
