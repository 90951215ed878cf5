from pathlib import Path

import pytest

from recommender.catalogue.instrument import Instrument
from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError, ScoreError
from recommender.exchange.ed_fi_items import ItemFinder
from recommender.exchange.ed_fi_mapping import ElementMapping, read_mapping


def instrument(name: str, items: dict[str, str], title: str = "") -> Instrument:
    entries = [{"code": code, "label": label} for code, label in items.items()]
    return Instrument.model_validate(
        {"id": name, "title": title or name, "scale": {"min": 1, "max": 4}, "items": entries}
    )


ALPHA = instrument("alpha-2013", {"1a": "Routines", "1b": "Questions & Answers", "2.1": "Climate"}, "The Alpha Rubric")
ALPHA_NEW = instrument("alpha-2022", {"1a": "Routines", "1b": "Talk", "2.1": "Climate", "3": "Pace"})
BETA = instrument("beta", {"1a": "Feedback", "2.1": "Modelling", "PC": "Positive Climate"})
ALL = {each.id: each for each in (ALPHA, ALPHA_NEW, BETA)}


def find(title: str, *elements: str, instruments: dict[str, Instrument] | None = None) -> list[str]:
    finder = ItemFinder(instruments or ALL, {(title, ""): elements})
    return [" ".join(finder.item((title, ""), element)) for element in elements]


@pytest.mark.parametrize(
    "element",
    ["Modelling", "MODELLING", " modelling. ", "2.1 - Modelling", "2.1: Modelling", "2.1 Modelling", "2.1. Modelling"],
)
def test_a_label_is_found_whatever_its_case_spacing_punctuation_and_leading_code(element: str):
    assert find("round", element) == ["beta 2.1"]


def test_an_ampersand_reads_as_and():
    assert find("round", "QUESTIONS AND ANSWERS") == ["alpha-2013 1b"]


@pytest.mark.parametrize("title", ["Beta", "beta 2024-1", "Walkthrough (BETA)"])
@pytest.mark.parametrize("element", ["2.1", "2.1 - Other words", "2.1: Other words", "PC", "PC - Tone"])
def test_a_code_counts_in_an_instrument_that_the_evaluation_names(title: str, element: str):
    assert find(title, element)[0].startswith("beta ")


def test_the_name_may_be_spelled_with_other_spacing_and_punctuation():
    shipped = dict(load_instruments())
    titles = ("t-tess spring 2024 - 1", "")
    finder = ItemFinder(shipped, {titles: ["2.5 - Monitor and Adjust"]})
    assert finder.item(titles, "2.5 - Monitor and Adjust") == ("ttess", "2.5")
    assert finder.item(titles, "4.4 - Something else") == ("ttess", "4.4")


def test_the_edition_in_the_title_decides_between_editions():
    assert find("alpha 2013", "1a", "2.1") == ["alpha-2013 1a", "alpha-2013 2.1"]
    assert find("alpha 2022", "1a") == ["alpha-2022 1a"]


def test_without_an_edition_the_other_elements_of_the_evaluation_decide():
    assert find("alpha", "Routines", "Talk") == ["alpha-2022 1a", "alpha-2022 1b"]
    assert find("round", "Routines", "Questions & Answers") == ["alpha-2013 1a", "alpha-2013 1b"]


def test_an_evaluation_that_fits_two_instruments_alike_is_refused():
    with pytest.raises(ScoreError, match="fits alpha-2013 and alpha-2022 alike"):
        find("alpha", "Routines")


def test_a_code_alone_is_not_enough_without_a_name_or_a_label():
    with pytest.raises(ScoreError, match="fits no instrument"):
        find("round", "PC - Tone")
    assert find("round", "PC - Tone", "Modelling") == ["beta PC", "beta 2.1"]


def test_a_name_in_the_title_that_fits_no_element_decides_nothing():
    assert find("alpha middle school", "Modelling", "Feedback") == ["beta 2.1", "beta 1a"]


def test_a_title_whose_code_and_label_are_different_items_is_refused():
    with pytest.raises(ScoreError, match="no item of beta"):
        find("beta", "Positive Climate", "2.1 - Feedback")


def test_an_element_the_instrument_does_not_have_is_refused_and_costs_no_other():
    finder = ItemFinder(ALL, {("round", ""): ["Modelling", "Yard duty"]})
    assert finder.item(("round", ""), "Modelling") == ("beta", "2.1")
    with pytest.raises(ScoreError, match="no item of beta"):
        finder.item(("round", ""), "Yard duty")


def test_a_label_that_two_items_share_is_no_label():
    twice = instrument("twice", {"a": "Same", "b": "Same"})
    with pytest.raises(ScoreError):
        find("round", "Same", instruments={"twice": twice})


@pytest.mark.parametrize("element", ["", "  ", "-"])
def test_an_element_without_a_title_is_refused(element: str):
    with pytest.raises(ScoreError, match="found nothing"):
        find("beta", element)


def test_a_mapping_names_the_instrument_and_its_titles_win():
    mapping = ElementMapping(instrument="alpha-2013", elements={"Yard Duty": "2.1", "Routines": "1b"})
    finder = ItemFinder(ALL, {}, mapping)
    titles = ("beta", "")
    assert finder.item(titles, "yard-duty") == ("alpha-2013", "2.1")
    assert finder.item(titles, "Routines") == ("alpha-2013", "1b")
    assert finder.item(titles, "1a - Anything") == ("alpha-2013", "1a")
    with pytest.raises(ScoreError, match="no item of alpha-2013"):
        finder.item(titles, "Modelling")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("instrument: gamma", "map.yaml: instrument"),
        ("instrument: beta\nelements: {Yard duty: 9z}", "map.yaml: elements: Yard duty"),
        ("instrument: beta\nelements: {Yard duty: 2.1}", "in quotes"),
        ("elements: {}", "map.yaml: instrument"),
        ("instrument: beta\nitems: {}", "map.yaml: items"),
        ("instrument: beta\nobservation_types: {Chat: friendly}", "map.yaml: observation_types: Chat"),
        ("- beta", "a mapping of fields"),
    ],
)
def test_a_broken_mapping_is_refused_with_its_field(tmp_path: Path, text: str, message: str):
    (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        read_mapping(tmp_path / "map.yaml", ALL)
    assert message in str(caught.value)
