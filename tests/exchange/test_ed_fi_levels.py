import pytest

from recommender.catalogue.instrument import Instrument
from recommender.errors import ScoreError
from recommender.exchange.ed_fi_levels import file_ends, score_of
from recommender.exchange.ed_fi_records import ElementScale, Level, Result

FOUR = Instrument.model_validate(
    {
        "id": "four",
        "title": "Four",
        "scale": {"labels": {"Ineffective": 1, "Developing": 2, "Effective": 3, "Highly Effective": 4}},
        "missing": ["Not Demonstrated"],
        "items": [{"code": "a", "label": "Asking"}, {"code": "h", "label": "H", "scale": {"min": 0, "max": 100}}],
    }
)
BANDS = ElementScale(
    levels=(
        Level("ineffective", 0, 24),
        Level("minimally effective", 25, 59),
        Level("effective", 60, 89),
        Level("highly effective", 90, 100),
    )
)
# Levels as the public T-TESS metadata has them: an upper end only.
POINTS = ElementScale(levels=tuple(Level(name, None, high) for high, name in enumerate("vwxyz", 1)))


def score(*results: Result, level: str = "", scale: ElementScale | None = None, item: str = "a") -> float | None:
    value = score_of(results, level, scale or ElementScale(), FOUR, item)
    return None if value is None else value.number


def number(rating: object, datatype: str = "integer") -> Result:
    return Result(rating, "score", datatype)  # type: ignore[arg-type]


@pytest.mark.parametrize("rating", [3, 3.0, "3", " 3.0 ", "3e0", "+3"])
@pytest.mark.parametrize("datatype", ["integer", "decimal", ""])
def test_a_number_is_itself_where_the_file_names_no_scale(rating: object, datatype: str):
    assert score(number(rating, datatype)) == 3


@pytest.mark.parametrize(
    ("scale", "rating", "wanted"),
    [
        (ElementScale(0, 100), 50, 2.5),
        (ElementScale(1, 4), 3, 3),
        (ElementScale(1, 5), 5, 4),
        (ElementScale(0, 3), 1, 2),
        (ElementScale(None, 4), 3, 3),
        (ElementScale(None, 100), 0, 1),
        (BANDS, 79, 3.37),
        (POINTS, 3, 2.5),
        (ElementScale(2, None), 3, 3),
        (ElementScale(-1, 1), 0, 2.5),
    ],
)
def test_a_number_is_moved_in_proportion_to_the_instruments_scale(scale: ElementScale, rating: float, wanted: float):
    assert score(number(rating), scale=scale) == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize(("scale", "rescaled"), [(ElementScale(1, 4), False), (ElementScale(0, 4), True)])
def test_only_a_scale_that_differs_counts_as_rescaled(scale: ElementScale, rescaled: bool):
    value = score_of([number(2)], "", scale, FOUR, "a")
    assert value is not None and value.rescaled == rescaled


@pytest.mark.parametrize(
    ("scale", "rating"),
    [(ElementScale(), 5), (ElementScale(), 0), (ElementScale(0, 100), 101), (POINTS, 0), (BANDS, -1)],
)
def test_a_number_outside_the_scale_is_refused_and_never_cut(scale: ElementScale, rating: float):
    with pytest.raises(ScoreError, match="outside the scale"):
        score(number(rating), scale=scale)


@pytest.mark.parametrize("rating", [float("nan"), float("inf"), 10**18, "1e999"])
def test_what_is_not_finite_is_refused(rating: object):
    with pytest.raises(ScoreError):
        score(number(rating))


@pytest.mark.parametrize("rating", [True, "3,0", "three", "٣", "0x3"])
def test_what_writes_no_number_is_no_number(rating: object):
    with pytest.raises(ScoreError):
        score(number(rating))


def test_a_fraction_said_to_be_an_integer_is_refused():
    with pytest.raises(ScoreError, match="a fraction"):
        score(number(2.5))
    assert score(number(2.5, "decimal")) == 2.5


def test_a_percentage_runs_from_0_to_100_whatever_the_elements_scale():
    assert score(number(50, "percentage"), scale=ElementScale(1, 4)) == 2.5


@pytest.mark.parametrize("datatype", ["percentile", "range"])
def test_a_place_among_colleagues_is_no_score(datatype: str):
    with pytest.raises(ScoreError, match="another data type"):
        score(number(3, datatype))
    assert score(number(3, datatype), number(2)) == 2
    assert score(number(3, datatype), level="effective") == 3


def test_results_that_differ_are_refused_and_equal_ones_are_one():
    assert score(number(2), number("2.0")) == 2
    with pytest.raises(ScoreError, match="2 results that differ"):
        score(number(2), number(3))


def test_a_number_comes_before_a_level_and_a_level_before_a_percentage():
    results = [number(10, "percentage"), Result("Effective", "", "level"), number(2)]
    assert score(*results) == 2
    assert score(*results[:2]) == 3


@pytest.mark.parametrize("rating", ["Effective", " effective ", "uri://x/RatingLevelDescriptor#EFFECTIVE"])
@pytest.mark.parametrize("datatype", ["level", "integer", ""])
def test_a_level_is_read_by_the_instruments_label(rating: str, datatype: str):
    assert score(Result(rating, "", datatype)) == 3


def test_a_level_with_a_number_of_its_own_is_that_number_of_the_file():
    assert score(Result("z", "", "level"), scale=POINTS) == 4
    # The file says what its words stand for, even where the instrument has the same word.
    own = ElementScale(levels=(Level("effective", 0, 0), Level("superb", 1, 1)))
    assert score(Result("Effective", "", "level"), scale=own) == 1


def test_a_level_that_is_a_band_is_the_instruments_label_or_else_the_middle_of_the_band():
    assert score(Result("Effective", "", "level"), scale=BANDS) == 3
    assert score(Result("Minimally Effective", "", "level"), scale=BANDS) == pytest.approx(1 + 3 * 0.42)
    assert score(Result("Minimally Effective", "", "level"), scale=BANDS, item="h") == 42


def test_bands_with_an_upper_end_only_begin_where_the_one_below_ends():
    scale = ElementScale(levels=(Level("low", None, 24), Level("mid", None, 60), Level("top", None, 100)))
    assert [score(Result(name, "", "level"), scale=scale, item="h") for name in ("low", "mid", "top")] == [12, 42, 80]


def test_the_number_of_a_level_gives_way_to_its_title():
    assert score(Result(4, "effective", "level")) == 3
    assert score(Result(4, "a title of no level", "level")) == 4
    with pytest.raises(ScoreError, match="a level by number where levels are bands"):
        score(Result(4, "a title of no level", "level"), scale=BANDS)


def test_the_ratings_own_level_is_read_only_without_a_result():
    assert score(level="effective") == 3
    assert score(number(2), level="effective") == 2
    assert score(Result(None, "x", "integer"), Result(" ", "x", ""), level="effective") == 3


@pytest.mark.parametrize("text", ["Not Demonstrated", "not demonstrated"])
def test_a_level_that_means_not_scored_is_no_score(text: str):
    assert score(Result(text, "", "level")) is None
    assert score(level=text) is None


def test_a_rating_without_any_result_is_no_score():
    assert score() is None
    assert score(Result(None, "", ""), Result("", "Rating", "integer")) is None


def test_an_unknown_level_is_refused_without_repeating_it():
    with pytest.raises(ScoreError) as caught:
        score(Result("rather noisy today", "", "level"))
    assert "Effective" in str(caught.value)
    assert "noisy" not in str(caught.value)


@pytest.mark.parametrize("scale", [ElementScale(5, 1), ElementScale(2, 2), ElementScale(levels=(Level("a", 3, 3),))])
def test_a_scale_without_width_is_refused(scale: ElementScale):
    with pytest.raises(ScoreError, match="lowest is not below"):
        file_ends(scale, FOUR.scale_of("a"))
