from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from recommender.errors import GrowthError
from recommender.training.learning_curve_plot import curve_svg

SVG = "{http://www.w3.org/2000/svg}"


def value(mean: float) -> dict[str, dict[str, float]]:
    return {"nDCG@5": {"mean": mean, "low": mean - 0.1, "high": mean + 0.1, "n": 10}}


def point(rows: int, held_out: float, development: float) -> dict[str, object]:
    return {"real rows trained on": rows, "held out": value(held_out), "development": value(development)}


REPORT = {"folds": 5, "points": [point(0, 0.2, 0.3), point(600, 0.4, 0.5)]}


def drawn(report=REPORT, **settings):
    return ElementTree.fromstring(curve_svg(report, **settings))


def test_a_point_stands_at_its_rows_and_figure_with_its_interval():
    root = drawn()
    places = [(p.get("cx"), p.get("cy")) for p in root.iter(f"{SVG}circle") if p.get("class") == "curve-point-one"]
    # The plot area is 360 wide from 70 and 360 high from 50: 600 rows and nDCG@5 .6 are its far ends.
    assert places[:2] == [("70.0", "290.0"), ("430.0", "170.0")]
    bars = [(b.get("y1"), b.get("y2")) for b in root.iter(f"{SVG}line") if b.get("class") == "curve-bar-one"]
    assert bars == [("350.0", "230.0"), ("230.0", "110.0")]


def test_each_series_is_a_line_through_its_points_and_the_second_stands_apart():
    one, two = (p.get("points") for p in drawn().iter(f"{SVG}polyline"))
    assert one == "70.0,290.0 430.0,170.0"
    assert two == "75.0,230.0 435.0,110.0"


def test_ticks_axes_and_legend_are_written_out():
    texts = [t.text for t in drawn().iter(f"{SVG}text")]
    for expected in ("0", "300", "600", "0.0", "0.6", "nDCG@5", "held-out real struggles", "development struggles"):
        assert expected in texts


@pytest.mark.parametrize(("rows", "last"), [(7, "8"), (48, "50"), (1954, "2,000"), (12_345, "15,000")])
def test_the_last_tick_is_round_and_not_below_the_most_rows(rows, last):
    root = drawn({"folds": 5, "points": [point(0, 0.2, 0.3), point(rows, 0.4, 0.5)]})
    assert [t.text for t in root.iter(f"{SVG}text") if t.get("y") == "428"][-1] == last


def test_who_cannot_see_it_can_have_it_read_out():
    root = drawn(title="Figure & <plan>")
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Figure & <plan>"
    assert "600 real struggles: nDCG@5 0.400 on held-out" in root.findtext(f"{SVG}desc")


def test_it_has_colours_for_light_and_dark_loads_nothing_and_is_the_same_every_time():
    svg = curve_svg(REPORT)
    assert svg == curve_svg(REPORT)
    assert svg.count("http") == 1  # the namespace
    light, dark = svg.split("@media")
    for name in ("page", "text", "grid", "one", "two", "bar-one", "bar-two", "point-one", "point-two"):
        assert f".curve-{name}" in light
        assert f".curve-{name}" in dark


def test_a_single_point_is_no_curve():
    with pytest.raises(GrowthError, match="1 points"):
        curve_svg({"folds": 5, "points": REPORT["points"][:1]})
