from __future__ import annotations

import os

import pytest
from small_models import SHIPPED, other_version, tiny_folder

from recommender.errors import ModelVersionError
from recommender.learning.registry import list_versions, previous_version, promote, rollback
from recommender.ranking.versions import current_version, open_version


class PowerCut(BaseException):
    """Nothing after it runs, not even what catches errors."""


# Every step by which promoting or rolling back changes the disk.
STEPS = ("replace", "fsync")


@pytest.fixture
def models(tmp_path):
    return tiny_folder(tmp_path / "models")


def pointers(models):
    return current_version(models), previous_version(models)


def test_a_version_that_passed_answers_and_the_one_before_is_remembered(models):
    other_version(models, "next")
    assert promote(models, "next") == SHIPPED
    assert pointers(models) == ("next", SHIPPED)


def test_one_rollback_brings_the_old_version_back_and_another_one_the_new(models):
    other_version(models, "next")
    promote(models, "next")
    assert rollback(models) == SHIPPED
    assert pointers(models) == (SHIPPED, "next")
    assert rollback(models) == "next"


@pytest.mark.parametrize(
    ("gates", "found"),
    [
        (None, "no gates"),
        ("failed", "failed gates: held back"),
        ({"against": SHIPPED, "files": "", "results": []}, "failed gates"),
    ],
)
def test_a_version_without_gates_or_with_a_failed_one_is_refused_and_nothing_changes(models, gates, found):
    other_version(models, "next", gates=gates)
    with pytest.raises(ModelVersionError, match=found):
        promote(models, "next")
    assert pointers(models) == (SHIPPED, None)


def test_gates_against_a_version_that_no_longer_answers_count_for_nothing(models):
    other_version(models, "next")
    other_version(models, "another")
    promote(models, "another")
    with pytest.raises(ModelVersionError, match=f"gates against {SHIPPED}"):
        promote(models, "next")


def test_gates_of_other_files_count_for_nothing(models):
    passed = {"against": SHIPPED, "files": "0" * 64, "results": [{"name": "development", "passed": True}]}
    other_version(models, "next", gates=passed)
    with pytest.raises(ModelVersionError, match="gates of other files"):
        promote(models, "next")


def test_an_altered_file_is_found_before_a_version_answers_or_answers_again(models):
    other_version(models, "next")
    other_version(models, "altered")
    (models / "altered" / "fusion.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelVersionError, match="SHA-256"):
        promote(models, "altered")
    promote(models, "next")
    (models / SHIPPED / "fusion.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelVersionError, match="SHA-256"):
        rollback(models)
    assert pointers(models) == ("next", SHIPPED)


@pytest.mark.parametrize("name", [SHIPPED, "nobody", "../models"])
def test_the_version_that_answers_and_one_that_is_not_there_cannot_be_promoted(models, name):
    with pytest.raises(ModelVersionError):
        promote(models, name)
    assert pointers(models) == (SHIPPED, None)


def test_without_a_version_before_there_is_nothing_to_go_back_to(models):
    with pytest.raises(ModelVersionError, match="no version that answered before"):
        rollback(models)


@pytest.mark.parametrize("action", ["promote", "rollback"])
def test_a_power_cut_after_any_step_leaves_a_whole_version_answering_and_the_action_can_be_done_again(
    tmp_path, monkeypatch, action
):
    cut_at = 0
    while True:
        models = tiny_folder(tmp_path / f"{action}-{cut_at}")
        other_version(models, "next")
        if action == "rollback":
            promote(models, "next")
        with monkeypatch.context() as patched:
            was_cut = cut_power_at(patched, cut_at, lambda models=models: act(action, models))
        now, _ = pointers(models)
        assert now in ("next", SHIPPED)
        open_version(models)
        if not was_cut:
            break
        if now == ("next" if action == "rollback" else SHIPPED):
            act(action, models)
        assert current_version(models) == (SHIPPED if action == "rollback" else "next")
        cut_at += 1
    assert cut_at >= 6, "two pointers, each written, put in place and made to last"


def act(action, models):
    return promote(models, "next") if action == "promote" else rollback(models)


def cut_power_at(monkeypatch, at, work):
    """Run ``work`` with the power cut after so many steps; whether it was cut."""
    done = []

    def stopping(real):
        def step(*arguments):
            if len(done) == at:
                raise PowerCut
            done.append(real)
            return real(*arguments)

        return step

    for name in STEPS:
        monkeypatch.setattr(os, name, stopping(getattr(os, name)))
    try:
        work()
    except PowerCut:
        return True
    return False


def test_versions_are_listed_with_their_part_their_gates_and_their_figure(models):
    other_version(models, "b-failed", gates="failed")
    other_version(models, "c-none", gates=None)
    other_version(models, "d-next")
    promote(models, "d-next")
    (models / "broken").mkdir()
    (models / "broken" / "manifest.json").write_text("{", encoding="utf-8")
    listed = {entry.name: entry for entry in list_versions(models)}
    assert {name: (entry.role, entry.gates) for name, entry in listed.items()} == {
        SHIPPED: ("previous", None),
        "b-failed": ("candidate", False),
        "broken": ("candidate", None),
        "c-none": ("candidate", None),
        "d-next": ("current", True),
    }
    assert 0.5 < listed[SHIPPED].ndcg < 1
    assert "broken manifest" in listed["broken"].problem
