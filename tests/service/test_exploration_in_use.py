"""Exploration where lists are stored, and the evidence that comes of them, with the real model and a real database."""

from __future__ import annotations

import pytest
from school_app import STRUGGLE, SchoolApp
from sqlalchemy import select

from recommender.cases import Case
from recommender.ranking.exploration import explore
from service.app import create_app
from service.casework import Casework
from service.settings import Settings
from service.store.actors import operator
from service.store.cases import get_case
from service.store.consents import give_consent
from service.store.database import utc_now
from service.store.evidence import evidence_rows
from service.store.tables.cases import SuggestionShown

RATE = 0.2


@pytest.fixture
def desk(school_app):
    def of(rate):
        state = school_app.app.state
        return Casework(school_app.database, state.model, state.metrics, exploration=rate)

    return of


def asked(number):
    """Another text each time, so that each has draws of its own."""
    return Case(case_id=f"c{number}", struggle=f"{STRUGGLE} It was lesson {number} of the unit.", top=5)


def stored_list(school_app, case_id):
    """Skills and propensities of the list that stands, rank 1 first."""
    with school_app.database.read() as session:
        suggestions = get_case(session, school_app.people["teacher"], case_id).rankings[-1].ranking.suggestions
        ranking_id = get_case(session, school_app.people["teacher"], case_id).rankings[-1].ranking.ranking_id
        chances = session.scalars(
            select(SuggestionShown.propensity)
            .where(SuggestionShown.ranking_id == ranking_id)
            .order_by(SuggestionShown.rank)
        ).all()
    return [suggestion.skill_id for suggestion in suggestions], list(chances)


def test_a_stored_list_is_the_explored_one_with_its_chances_and_another_time_the_same(desk, school_app, served_model):
    swapped = 0
    for number in range(25):
        plain = served_model.rank(asked(number))
        shown, chances = explore(plain, RATE, plain.input_hash)
        swapped += shown is not plain
        for _ in range(2):
            made = desk(RATE).open_case(school_app.people["teacher"], asked(number))
            assert stored_list(school_app, made.case_id) == ([s.skill_id for s in shown.suggestions], list(chances))
        if swapped:
            break
    assert swapped


def test_a_list_that_is_ranked_again_is_explored_as_well(desk, school_app, served_model):
    me, chances = school_app.people["teacher"], []
    for number in range(10):
        made = desk(RATE).open_case(me, asked(number))
        skills, _ = stored_list(school_app, made.case_id)
        desk(RATE).decline(me, made.case_id, made.ranking_id, skills[0])
        again, of_again = stored_list(school_app, made.case_id)
        plain = served_model.rank(asked(number).model_copy(update={"declined": [skills[0]]}))
        assert again == [s.skill_id for s in explore(plain, RATE, plain.input_hash)[0].suggestions]
        chances += of_again
    assert min(chances) < 1


def test_without_the_setting_the_list_is_the_models_and_every_chance_is_one(desk, school_app, served_model):
    made = desk(0.0).open_case(school_app.people["teacher"], asked(1))
    plain = [suggestion.skill_id for suggestion in served_model.rank(asked(1)).suggestions]
    assert stored_list(school_app, made.case_id) == (plain, [1.0] * 5)
    assert Settings().exploration == 0


def test_the_setting_reaches_what_is_stored_and_not_what_is_only_scored(served_model, school_app):
    app = create_app(Settings(exploration=RATE), served_model, school_app.database)
    browser = SchoolApp(app, school_app.database, school_app.tenant_id, {}, "").signed_out()
    headers = {"Authorization": f"Bearer {school_app.key()}", "Accept": "application/json"}
    differing = number = 0
    while not differing and number < 25:
        body = asked(number).model_dump(mode="json")
        scored = browser.post("/v1/score", json=body, headers=headers).json()
        stored = browser.post("/v1/cases", json=body, headers=headers).json()["ranking"]
        plain = [s.skill_id for s in served_model.rank(asked(number)).suggestions]
        assert [s["skill_id"] for s in scored["suggestions"]] == plain
        differing += [s["skill_id"] for s in stored["suggestions"]] != plain
        number += 1
    assert differing


def test_the_evidence_of_a_real_list_adds_up_and_has_a_score_for_every_skill(desk, school_app, served_model):
    me = school_app.people["teacher"]
    desk(RATE).open_case(me, asked(1), now=utc_now())
    with school_app.database.write() as session:
        give_consent(session, school_app.people["administrator"], "decisions", of_tenant=True)
        give_consent(session, me, "decisions")
        (row,) = evidence_rows(session, operator(session, school_app.tenant_id), bytes(32))
    assert row.scores is not None
    index = served_model.recommender.catalogue.index
    for place in row.shown:
        before_constraints = place.score - place.parts.constraint
        assert row.scores[index[place.skill_id]] == pytest.approx(before_constraints, abs=1e-3)
    assert (row.struggle, row.catalogue_version) == (None, served_model.recommender.catalogue.version)
