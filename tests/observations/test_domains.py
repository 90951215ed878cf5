from __future__ import annotations

from need_rows import RUBRIC, instruments, rubric

from recommender.catalogue.families import load_families
from recommender.observations.domains import domains_of


def test_items_of_two_families_of_one_domain_share_it() -> None:
    items = (("own", "Q"), ("own", "D"), ("own", "R"))
    document = [
        {"code": "Q", "label": "Q", "family": "questioning"},
        {"code": "D", "label": "D", "family": "discussion"},
        {"code": "R", "label": "R", "family": "routines"},
    ]
    families = load_families()
    assert families["questioning"].domain == families["discussion"].domain
    assert domains_of(items, instruments(rubric("own", items=document))) == ("discourse", "discourse", "management")


def test_a_domain_reaches_across_instruments() -> None:
    own = instruments(rubric(), rubric("other"))
    first, second = domains_of(((RUBRIC, "A"), ("other", "B")), own)
    assert first == second


def test_a_family_of_the_files_own_is_a_domain_of_that_file_only() -> None:
    own = instruments(rubric(), rubric("other"))
    first, second = domains_of(((RUBRIC, "E"), ("other", "E")), own)
    assert first != second and "gardening" in first
    assert first not in {family.domain for family in load_families().values()}


def test_items_without_a_family_are_domains_by_themselves() -> None:
    own = instruments(rubric("own", items=[{"code": "X", "label": "X"}, {"code": "Y", "label": "Y"}]))
    first, second = domains_of((("own", "X"), ("own", "Y")), own)
    assert first != second
