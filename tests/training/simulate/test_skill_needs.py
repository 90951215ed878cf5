from __future__ import annotations

import numpy as np
import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError
from recommender.training.simulate.components import Component
from recommender.training.simulate.skill_needs import SkillNeeds, domain_averages

ITEMS = ("a", "b", "c")
TEACHER = Component(("x", "x", "y"), 0.12, 0.38, 0.12)


def needs(crosswalk, visible_share: float = 0.5) -> SkillNeeds:
    return SkillNeeds.of(crosswalk, ITEMS, load_catalogue(), TEACHER.covariance(), visible_share)


def test_a_need_is_minus_the_weighted_distance_from_the_teachers_mean() -> None:
    skill = load_catalogue().ids[4]
    made = needs({"a": {skill: 0.2}, "c": {skill: 0.6}}, visible_share=1.0)
    theta = np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]])
    need = made.draw(np.random.default_rng(0), theta)[:, 4]
    # Shares .25 and .75; teacher mean 3: -( .25 x -2 + .75 x 3) = -1.75, over the SD of that sum.
    contrast = np.array([1 / 3 - 0.25, 1 / 3, 1 / 3 - 0.75])
    sd = np.sqrt(contrast @ TEACHER.covariance() @ contrast)
    assert need == pytest.approx([-1.75 / sd, 0.0])


def test_needs_have_unit_variance_and_half_of_it_is_visible() -> None:
    catalogue = load_catalogue()
    mapped, unmapped = catalogue.ids[0], 7
    made = needs({"b": {mapped: 1.0}})
    rng = np.random.default_rng(0)
    theta = TEACHER.draw(rng, 20_000)
    u = made.draw(rng, theta)
    assert u.var(axis=0) == pytest.approx(np.ones(len(catalogue)), abs=0.05)
    distance = theta.mean(axis=1) - theta[:, 1]
    assert np.corrcoef(u[:, 0], distance)[0, 1] == pytest.approx(np.sqrt(0.5), abs=0.02)
    assert np.corrcoef(u[:, unmapped], distance)[0, 1] == pytest.approx(0, abs=0.03)
    assert np.diag(made.covariance(TEACHER.covariance())) == pytest.approx(np.ones(len(catalogue)))


def test_skills_of_the_same_items_share_their_visible_part_only() -> None:
    first, second = load_catalogue().ids[:2]
    made = needs({"a": {first: 0.5, second: 0.5}})
    assert made.covariance(TEACHER.covariance())[0, 1] == pytest.approx(0.5)


def test_a_skill_all_items_speak_about_alike_has_nothing_visible() -> None:
    skill = load_catalogue().ids[0]
    made = needs({item: {skill: 0.3} for item in ITEMS})
    assert made.visible[:, 0].tolist() == [0, 0, 0] and made.specific_sd[0] == 1


def test_a_crosswalk_of_other_items_is_refused() -> None:
    with pytest.raises(GrowthError, match="no item with a skill"):
        needs({"other": {load_catalogue().ids[0]: 1.0}})


def test_domain_averages_average_each_domain() -> None:
    catalogue = load_catalogue()
    averages = domain_averages(catalogue)
    assert averages.sum(axis=0) == pytest.approx(np.ones(len(catalogue.domains)))
    assert (np.count_nonzero(averages, axis=1) == 1).all()
    assert averages[0, catalogue.domains.index(catalogue.skills[0].domain)] > 0
