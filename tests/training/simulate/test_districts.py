from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from recommender.catalogue.instruments import load_instruments
from recommender.catalogue.loader import load_catalogue
from recommender.training.corpus import REAL, load_rows, soft_targets
from recommender.training.simulate.coach_grades import coach_grades, coach_value
from recommender.training.simulate.districts import District, simulate_district
from recommender.training.simulate.labelled_texts import LabelledTexts, naming_correlation
from recommender.training.simulate.parameters import load_parameters

TEACHERS = 600


@pytest.fixture(scope="module")
def texts() -> LabelledTexts:
    rows = [row for file in REAL for row in load_rows(file) if row.status == "rankable" and row.labels]
    targets = soft_targets(rows, load_catalogue())
    return LabelledTexts(tuple(row.id for row in rows), targets, np.log(targets + 0.001))


@pytest.fixture(scope="module")
def district(texts) -> District:
    return simulate_district(11, TEACHERS, 4, texts, texts)


def test_a_district_has_one_of_everything_for_each_teacher(district, texts) -> None:
    catalogue = load_catalogue()
    assert len(district.teacher_ids) == len(district.note_rows) == len(district.interests) == TEACHERS
    assert district.text_rows.shape == (TEACHERS,) and district.text_rows.max() < len(texts)
    assert district.grades.shape == district.u.shape == (TEACHERS, len(catalogue))
    assert district.theta.shape == (TEACHERS, 10)
    assert set(district.scores["instrument"]) == {"danielson-2022"}
    assert set(district.scores["item"]) == set(district.items)
    assert set(district.scores["teacher_id"]) == set(district.teacher_ids)
    assert all(len(set(named)) == 2 and set(named) <= set(catalogue.domains) for named in district.interests)


def test_the_same_seed_gives_the_same_district_and_another_does_not(district, texts) -> None:
    again = simulate_district(11, TEACHERS, 4, texts, texts)
    assert again.scores.equals(district.scores)
    assert again.u.tobytes() == district.u.tobytes() and again.grades.tobytes() == district.grades.tobytes()
    assert again.text_rows.tolist() == district.text_rows.tolist() and again.interests == district.interests
    assert [rows.tolist() for rows in again.note_rows] == [rows.tolist() for rows in district.note_rows]
    other = simulate_district(12, TEACHERS, 4, texts, texts)
    assert other.u.tobytes() != district.u.tobytes() and other.interests != district.interests


def test_the_grades_are_those_of_the_coach_who_knows_words_and_need(district, texts) -> None:
    truth = load_parameters().district.truth
    value = coach_value(texts.targets[district.text_rows], district.u, truth)
    assert (district.grades == coach_grades(value, truth)).all()
    assert ((district.grades == 3).sum(axis=1) == 1).all()


def test_teachers_write_about_what_they_need_and_observers_notes_even_more(district, texts) -> None:
    everybody = np.arange(TEACHERS)
    struggle = district.u[everybody, texts.first_skills[district.text_rows]]
    counts = [len(rows) for rows in district.note_rows]
    noted = district.u[np.repeat(everybody, counts), texts.first_skills[np.concatenate(district.note_rows)]]
    assert 0.5 < struggle.mean() < noted.mean()


def test_the_shipped_kappa_gives_real_struggles_the_correlation_of_self_report(texts) -> None:
    """Naming one domain of twelve is a yes or no: a correlation r shows as r phi(z) / sqrt(p (1 - p)), p = 1/12."""
    district = simulate_district(5, 2000, 1, texts)
    found = naming_correlation(texts, district.text_rows, district.u, load_catalogue())
    share = 1 / len(load_catalogue().domains)
    shown = norm.pdf(norm.ppf(share)) / np.sqrt(share * (1 - share))
    assert found == pytest.approx(load_parameters().self_report.r_true.value * shown, abs=0.02)


def test_coaches_name_about_as_many_skills_as_labellers_do(texts) -> None:
    """Labellers of the real struggles give 1.2 skills a 2 and 1.3 a 1, on average."""
    grades = simulate_district(5, 2000, 1, texts).grades
    assert 0.9 <= (grades == 2).sum(axis=1).mean() <= 1.6
    assert 1.0 <= (grades == 1).sum(axis=1).mean() <= 2.0


def test_every_second_visit_leaves_a_note(district, texts) -> None:
    counts = np.array([len(rows) for rows in district.note_rows])
    assert counts.max() <= 4
    assert counts.mean() == pytest.approx(2.0, abs=4 * np.sqrt(4 * 0.25 / TEACHERS))
    assert sum(map(len, simulate_district(11, 20, 4, texts).note_rows)) == 0


def test_scores_and_needs_of_the_mapped_skills_hang_together(district) -> None:
    catalogue = load_catalogue()
    crosswalk = load_instruments().crosswalk("danielson-2022")
    column = district.items.index("3b")
    distance = district.theta.mean(axis=1) - district.theta[:, column]
    only = [
        skill
        for skill in crosswalk["3b"]
        if not any(skill in crosswalk.get(item, {}) for item in district.items if item != "3b")
    ]
    assert only
    correlations = [np.corrcoef(distance, district.u[:, catalogue.index[skill]])[0, 1] for skill in only]
    assert np.mean(correlations) == pytest.approx(np.sqrt(0.5), abs=0.04)


def test_interests_lean_to_the_domains_of_greater_need(district) -> None:
    catalogue = load_catalogue()
    domains = np.array([skill.domain for skill in catalogue])
    need = {domain: district.u[:, domains == domain].mean(axis=1) for domain in catalogue.domains}
    named = np.mean([need[domain][row] for row, pair in enumerate(district.interests) for domain in pair])
    assert named > np.mean([values.mean() for values in need.values()]) + 0.03


def test_a_usual_district_has_teachers_seen_once_and_often_by_one_and_by_many(texts) -> None:
    scores = simulate_district(3, 300, None, texts).scores
    visits = scores.groupby("teacher_id")["visit"].nunique()
    assert visits.min() == 1 and visits.max() >= 8
    raters = scores.groupby("teacher_id")["observer"].nunique()
    assert 0.6 < (raters == 1).mean() < 0.9
