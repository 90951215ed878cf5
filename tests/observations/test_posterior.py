from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from need_rows import components

from recommender.observations.components import Component, VarianceComponents, shipped_components
from recommender.observations.posterior import Posterior, TeacherRatings, posterior

PARTS = components(teacher=0.2, lesson=0.1, rater=0.3, residual=0.4, stability=0.85)


def ratings(latent, lesson=None, rater=None, *, age=None, noise=0.0, left=1.0, unsure=0.0, used=None) -> TeacherRatings:
    """One teacher's ratings, ``latent`` (items, occasions); every occasion its own lesson and rater if not said."""
    latent = np.atleast_2d(np.array(latent, dtype=float))
    occasions = latent.shape[1]
    used = np.ones(latent.shape) if used is None else np.array(used, dtype=float)

    def cells(values) -> np.ndarray:
        return (np.broadcast_to(values, latent.shape) * used)[None]

    return TeacherRatings(
        lesson=np.array([range(occasions) if lesson is None else lesson], dtype=np.int64),
        rater=np.array([range(occasions) if rater is None else rater], dtype=np.int64),
        age=np.array([np.zeros(occasions) if age is None else age], dtype=float),
        latent=cells(latent), noise=cells(noise), rater_remaining=cells(left), uncertainty=cells(unsure),
        used=used[None],
    )  # fmt: skip


def error_of(found: Posterior) -> float:
    """Error variance V of one item's mean, from its posterior variance T V / (T + V)."""
    variance = float(found.covariance[0, 0, 0])
    return variance * 0.2 / (0.2 - variance)


def test_one_rating_of_one_item_by_hand() -> None:
    found = posterior(ratings([[1.5]], noise=0.25, left=0.4, unsure=0.01), PARTS, ("x",))
    total = 0.2 + 0.1 + 0.4 * 0.3 + 0.4 + 0.25 + 0.01
    assert found.mean[0] == pytest.approx([0.2 / total * 1.5])
    assert found.covariance[0] == pytest.approx(np.array([[0.2 - 0.2**2 / total]]))
    assert found.gain[0] == pytest.approx(np.array([[0.2 / total]]))


def test_two_items_of_one_rating_by_two_by_two_matrices() -> None:
    parts = components(teacher_general=0.5, lesson_general=0.2, rater_general=0.1, residual_general=0.25)
    found = posterior(ratings([[1.0], [-0.5]]), parts, ("x", "y"))
    true = np.array([[0.2, 0.1], [0.1, 0.2]])
    shared = 0.1 + 0.1 * 0.2 + 0.3 * 0.1 + 0.4 * 0.25
    # The inverse of [[1, s], [s, 1]] is [[1, -s], [-s, 1]] / (1 - s^2).
    inverse = np.array([[1, -shared], [-shared, 1]]) / (1 - shared**2)
    assert found.mean[0] == pytest.approx(true @ inverse @ np.array([1.0, -0.5]))
    assert found.covariance[0] == pytest.approx(true - true @ inverse @ true)


def test_an_item_without_a_score_is_only_informed_by_the_others() -> None:
    parts = components(teacher_general=0.5)
    found = posterior(ratings([[1.0], [0.0]], used=[[1], [0]]), parts, ("x", "y"))
    assert found.observed.tolist() == [[True, False]]
    assert found.mean[0] == pytest.approx([0.2, 0.1])
    assert found.covariance[0] == pytest.approx(np.array([[0.2 - 0.04, 0.1 - 0.02], [0.1 - 0.02, 0.2 - 0.01]]))
    assert found.gain[0, :, 1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("lesson", "rater", "error"),
    [
        ([0, 1], [0, 1], 0.1 / 2 + 0.3 / 2 + 0.4 / 2),
        ([0, 0], [0, 1], 0.1 + 0.3 / 2 + 0.4 / 2),
        ([0, 1], [0, 0], 0.1 / 2 + 0.3 + 0.4 / 2),
    ],
)
def test_two_lessons_or_two_raters_leave_what_they_share(lesson, rater, error) -> None:
    found = posterior(ratings([[1.0, 0.4]], lesson, rater), PARTS, ("x",))
    assert error_of(found) == pytest.approx(error)
    assert found.mean[0, 0] == pytest.approx(0.2 / (0.2 + error) * 0.7)


def test_a_lesson_a_year_older_counts_for_eighty_five_hundredths() -> None:
    found = posterior(ratings([[1.0, -1.0]], age=[0.0, 1.0]), PARTS, ("x",))
    new, old = 1 / 1.85, 0.85 / 1.85
    y = new - old
    total = 0.2 * (new**2 + old**2 + 2 * new * old * 0.85) + 0.8 * (new**2 + old**2)
    now = 0.2 * (new + old * 0.85)
    assert found.mean[0, 0] == pytest.approx(now / total * y)
    assert found.covariance[0, 0, 0] == pytest.approx(0.2 - now**2 / total)
    assert found.mean[0, 0] > 0


def test_only_the_distance_to_the_teachers_latest_lesson_counts_for_a_single_lesson() -> None:
    one = posterior(ratings([[1.0]]), PARTS, ("x",))
    with_padding = posterior(ratings([[1.0, 0.0]], used=[[1, 0]]), PARTS, ("x",))
    assert with_padding.mean[0] == pytest.approx(one.mean[0])


def by_loops(given_: TeacherRatings, parts: VarianceComponents, domains: tuple[str, ...]) -> tuple:
    """The same posterior from the joint normal of all ratings, one pair of ratings at a time."""
    used = [tuple(cell) for cell in np.argwhere(given_.used[0] > 0)]
    sources = [part.covariance(domains) for part in (parts.teacher, parts.lesson, parts.rater, parts.residual)]
    teacher, lesson, rater, residual = sources
    age, stability = given_.age[0], parts.annual_stability
    joint = np.zeros((len(used), len(used)))
    cross = np.zeros((len(used), len(domains)))
    for a, (i, o) in enumerate(used):
        cross[a] = teacher[i] * stability ** age[o]
        for b, (j, p) in enumerate(used):
            joint[a, b] = teacher[i, j] * stability ** abs(age[o] - age[p])
            if given_.lesson[0, o] == given_.lesson[0, p]:
                joint[a, b] += lesson[i, j]
            if given_.rater[0, o] == given_.rater[0, p]:
                left = given_.rater_remaining[0, i, o] * given_.rater_remaining[0, j, p]
                joint[a, b] += rater[i, j] * np.sqrt(left)
            if o == p:
                joint[a, b] += residual[i, j]
            if i == j:
                joint[a, b] += given_.uncertainty[0, i, o]
            if a == b:
                joint[a, b] += given_.noise[0, i, o]
    items = sorted({i for i, _ in used})
    weighing = np.zeros((len(items), len(used)))
    for row, item in enumerate(items):
        for a, (i, o) in enumerate(used):
            weighing[row, a] = stability ** age[o] if i == item else 0.0
        weighing[row] /= weighing[row].sum()
    y = weighing @ np.array([given_.latent[0, i, o] for i, o in used])
    gain = (weighing @ cross).T @ np.linalg.inv(weighing @ joint @ weighing.T)
    return gain @ y, teacher - gain @ (weighing @ cross), gain, items


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5), st.booleans())
def test_the_vectorised_posterior_is_that_of_plain_loops_over_ratings(seed, n_items, n_occasions, shipped) -> None:
    rng = np.random.default_rng(seed)
    parts = shipped_components() if shipped else VarianceComponents(
        source="test",
        annual_stability=rng.uniform(0.3, 1.0),
        **{
            name: Component(variance=rng.uniform(0.05, 1), general=rng.uniform(0, 0.5), same_domain=rng.uniform(0, 0.4))
            for name in ("teacher", "lesson", "rater", "residual")
        },
    )  # fmt: skip
    domains = tuple(rng.choice(["x", "y"], n_items).tolist())
    used = rng.random((n_items, n_occasions)) < 0.6
    used[0, 0] = True
    given_ = ratings(
        rng.normal(size=(n_items, n_occasions)),
        rng.integers(0, 3, n_occasions), rng.integers(0, 3, n_occasions), age=rng.uniform(0, 4, n_occasions),
        noise=rng.uniform(0, 2, (n_items, n_occasions)), left=rng.uniform(0.1, 1, (n_items, n_occasions)),
        unsure=np.tile(rng.uniform(0, 0.2, (n_items, 1)), n_occasions), used=used,
    )  # fmt: skip
    found = posterior(given_, parts, domains)
    mean, covariance, gain, items = by_loops(given_, parts, domains)
    assert np.flatnonzero(found.observed[0]).tolist() == items
    assert found.mean[0] == pytest.approx(mean, abs=1e-9)
    assert found.covariance[0] == pytest.approx(covariance, abs=1e-9)
    assert found.gain[0][:, items] == pytest.approx(gain, abs=1e-9)
    assert np.linalg.eigvalsh(found.covariance[0]).min() > -1e-9
