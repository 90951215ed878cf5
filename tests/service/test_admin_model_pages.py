from __future__ import annotations

import shutil

import pytest
from page_reading import visible

from recommender.ranking.versions import DEFAULT_MODELS, current_version
from service.pages.admin_model import Figure, shown_figures
from service.pages.strings import page_strings


@pytest.fixture
def administrator(school_app):
    return school_app.client_as("administrator")


def test_the_page_says_the_version_the_figures_with_their_ranges_and_the_card(administrator, served_model):
    answer = administrator.get("/admin/model").text
    page, manifest = visible(answer), served_model.recommender.manifest
    assert f"Version {manifest.version}" in page
    best = manifest.figures["development"]["figures"]["this version"]["hit@3"]
    assert f"{best['mean']:.2f} {best['low']:.2f} to {best['high']:.2f} {best['n']}" in page
    assert "<h3>Model card" in answer
    assert "Machine labellers stand in for coaches" in page
    # The page has a heading of its own; the card's come under it.
    assert answer.count("<h1") == 1


def test_every_figure_the_page_names_is_in_the_shipped_version(served_model):
    wanted = page_strings()["admin"]["model"]["shown"]
    found = shown_figures(served_model.recommender.manifest.figures, wanted)
    assert [figure.label for figure in found] == [entry["label"] for entry in wanted]
    assert all(set(entry) == {"at", "label"} for entry in wanted)
    assert len({figure.label for figure in found}) == len(found)


def test_a_figure_a_version_does_not_have_is_left_out():
    shown = [
        {"at": ["a", "b"], "label": "both"}, {"at": ["a", "c"], "label": "number"}, {"at": ["a", "d"], "label": "none"},
        {"at": ["x", "y"], "label": "none"}, {"at": ["a", "c", "z"], "label": "none"}, {"at": ["a"], "label": "none"},
    ]  # fmt: skip
    figures = {"a": {"b": {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 7}, "c": 0.014, "d": "text"}}
    assert shown_figures(figures, shown) == [
        Figure("both", "0.50", "0.40", "0.60", 7),
        Figure("number", "0.01", None, None, None),
    ]
    assert shown_figures({}, shown) == []


def test_a_picture_of_the_card_is_served_from_the_address_in_it(administrator):
    assert '<img src="/admin/model/files/reliability.svg"' in administrator.get("/admin/model").text
    answer = administrator.get("/admin/model/files/reliability.svg")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content.startswith(b"<svg")


def test_no_other_file_is_served(administrator):
    for name in ("manifest.json", "card.md", "fusion.json", "other.svg", "..%2Fcurrent", "%2e%2e", ".svg"):
        assert administrator.get(f"/admin/model/files/{name}").status_code == 404, name


def test_a_picture_that_was_altered_is_not_served(administrator, school_app, tmp_path):
    version = current_version(DEFAULT_MODELS)
    (tmp_path / version).mkdir()
    picture = tmp_path / version / "reliability.svg"
    shutil.copy(DEFAULT_MODELS / version / "reliability.svg", picture)
    school_app.app.state.settings = school_app.app.state.settings.model_copy(update={"models": tmp_path})
    assert administrator.get("/admin/model/files/reliability.svg").status_code == 200
    picture.write_text("<svg onload='alert(1)'/>")
    assert administrator.get("/admin/model/files/reliability.svg").status_code == 404
    picture.unlink()
    assert administrator.get("/admin/model/files/reliability.svg").status_code == 404
