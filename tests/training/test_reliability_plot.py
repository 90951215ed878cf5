import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from recommender.errors import GrowthError
from recommender.training.calibration_error import ReliabilityBin, reliability_table
from recommender.training.reliability_plot import reliability_svg

SVG = "{http://www.w3.org/2000/svg}"
TABLE = [ReliabilityBin(10, 0.0, 0.0, 0.0, 0.3), ReliabilityBin(30, 0.5, 0.6, 0.4, 0.8)]


def drawn(table=TABLE, **settings):
    return ElementTree.fromstring(reliability_svg(table, **settings))


def test_the_same_table_gives_the_same_bytes():
    rng = np.random.default_rng(0)
    table = reliability_table(rng.random(300), rng.integers(0, 2, 300))
    assert reliability_svg(table).encode() == reliability_svg(list(table)).encode()


def test_a_point_stands_at_its_probability_and_rate_with_its_interval():
    root = drawn()
    points = [(p.get("cx"), p.get("cy")) for p in root.iter(f"{SVG}circle")]
    # The plot area is 360 wide from 70 and 360 high from 50, with 0 at the bottom.
    assert points == [("70.0", "410.0"), ("250.0", "194.0")]
    bars = [b for b in root.iter(f"{SVG}line") if b.get("class") == "rel-bar"]
    assert [(b.get("y1"), b.get("y2")) for b in bars] == [("410.0", "302.0"), ("266.0", "122.0")]


def test_title_axes_ticks_and_counts_are_written_out():
    texts = [t.text for t in drawn().iter(f"{SVG}text")]
    assert "Predicted probability (mean of the bin)" in texts
    assert "Share of labellers who graded 3 or 2" in texts
    assert texts.count("0.2") == 2
    assert any(t.startswith("40 suggestions in 2 bins") for t in texts)


def test_who_cannot_see_it_can_have_it_read_out():
    root = drawn(title="Figure & <plan>")
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Figure & <plan>"
    assert "30 suggestions predicted 0.50, came true 0.60" in root.findtext(f"{SVG}desc")


def test_it_has_colours_for_light_and_dark_and_loads_nothing():
    svg = reliability_svg(TABLE)
    assert "prefers-color-scheme:dark" in svg
    assert svg.count("http") == 1  # the namespace
    light, dark = svg.split("@media")
    for name in ("rel-page", "rel-text", "rel-point", "rel-bar", "rel-ideal", "rel-grid"):
        assert f".{name}" in light
        assert f".{name}" in dark


def test_an_empty_table_is_refused():
    with pytest.raises(GrowthError, match="without bins"):
        reliability_svg([])
