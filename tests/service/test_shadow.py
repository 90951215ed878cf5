from __future__ import annotations

import io
import json
import shutil

import pytest
from prometheus_client import CollectorRegistry
from school_app import STRUGGLE

from recommender.cases import Case
from recommender.learning.version_copies import models_beside
from recommender.ranking.versions import DEFAULT_MODELS, MANIFEST_FILE, current_version, sha256_of
from service.casework import Casework
from service.served_model import ServedModel
from service.settings import Settings
from service.shadow import MOST_WAITING, Shadow
from service.store.cases import get_case

SHIPPED, CANDIDATE = current_version(DEFAULT_MODELS), "candidate"
# What the shipped version puts first for the struggle of these tests.
FIRST = "every-student-response"


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """The shipped version, and a copy that offers the first skill of the example far less."""
    models = models_beside(DEFAULT_MODELS, tmp_path_factory.mktemp("shadow") / "models")
    folder = models / CANDIDATE
    shutil.copytree(models / SHIPPED, folder)
    weights = json.loads((folder / "fusion.json").read_text(encoding="utf-8"))
    (folder / "fusion.json").write_text(json.dumps(weights | {"skill_offsets": {FIRST: -9.0}}))
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8")) | {"version": CANDIDATE}
    manifest["files"] = {name: sha256_of(folder / name) for name in manifest["files"]}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    return models


@pytest.fixture
def shadow_of(models):
    made = []

    def build(version=CANDIDATE):
        made.append(Shadow(Settings(models=models, shadow=version), CollectorRegistry()))
        return made[-1]

    yield build
    for shadow in made:
        shadow.close()


@pytest.fixture
def desk_with(school_app, served_model: ServedModel):
    def build(shadow):
        return Casework(school_app.database, served_model, school_app.app.state.metrics, shadow=shadow)

    return build


def count(shadow, name, **labels):
    series = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for metric in (*shadow.compared.collect(), *shadow.not_compared.collect(), *shadow.status_changed.collect(),
                       *shadow.first_changed.collect(), *shadow.overlap.collect(), *shadow.score_shift.collect())
        for sample in metric.samples
    }  # fmt: skip
    return series.get((f"growth_shadow_{name}", tuple(sorted(labels.items()))), 0.0)


def finish(shadow):
    """Wait for what was handed to the shadow; it does one thing after another."""
    shadow._pool.submit(int).result(60)


def asked(**fields):
    return Case(case_id="c1", struggle=STRUGGLE, **fields)


def test_a_stored_case_is_ranked_by_the_shadow_too_and_only_counted(desk_with, shadow_of, school_app, served_model):
    shadow = shadow_of()
    stored = desk_with(shadow).open_case(school_app.people["teacher"], asked())
    finish(shadow)
    assert count(shadow, "compared_total") == 1
    first = served_model.rank(asked()).suggestions[0].skill_id
    assert first == FIRST and count(shadow, "first_changed_total") == 1
    assert count(shadow, "overlap_sum") == 2 and count(shadow, "score_shift_count") == 1
    with school_app.database.read() as session:
        view = get_case(session, school_app.people["teacher"], stored.case_id)
        assert {ranking.ranking.model_version for ranking in view.rankings} == {SHIPPED}


def test_without_the_setting_nothing_is_ranked_twice(desk_with, shadow_of, school_app):
    shadow = shadow_of(None)
    desk_with(shadow).open_case(school_app.people["teacher"], asked())
    shadow.close()
    assert count(shadow, "compared_total") == 0


def test_once_promoted_a_shadow_compares_nothing_with_itself(desk_with, shadow_of, school_app):
    shadow = shadow_of(SHIPPED)
    desk_with(shadow).open_case(school_app.people["teacher"], asked())
    finish(shadow)
    assert count(shadow, "compared_total") == 0


def test_a_version_that_cannot_be_loaded_costs_no_answer_and_says_no_word_of_the_text(
    desk_with, shadow_of, school_app, log_lines: io.StringIO
):
    shadow = shadow_of("nobody")
    stored = desk_with(shadow).open_case(school_app.people["teacher"], asked())
    finish(shadow)
    assert stored.case_id
    assert count(shadow, "not_compared_total", why="no model") == 1
    assert '"shadow not loaded"' in log_lines.getvalue() and "three students" not in log_lines.getvalue()


def test_too_many_waiting_cases_are_passed_over_and_counted(desk_with, shadow_of, school_app):
    shadow = shadow_of()
    for _ in range(MOST_WAITING):
        shadow._waiting.acquire()
    desk_with(shadow).open_case(school_app.people["teacher"], asked())
    assert count(shadow, "not_compared_total", why="busy") == 1


def test_another_status_is_counted_and_no_list_compared(shadow_of, served_model):
    shadow = shadow_of()
    shadow.count(served_model.rank(asked()), served_model.rank(Case(case_id="c2", struggle="Bad day.")))
    assert count(shadow, "status_changed_total") == 1 and count(shadow, "overlap_count") == 0


def test_the_counts_are_on_the_metrics_page(school_app):
    page = school_app.app.state.metrics.page().decode()
    assert "growth_shadow_compared_total 0.0" in page and "growth_shadow_overlap_bucket" in page
