from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from store_rows import NOW, STRUGGLE, School, a_case, a_ranking, stored

from recommender.errors import CaseError
from service.store.actors import Actor
from service.store.cases import add_ranking, asked_again, get_case, list_cases, store_case
from service.store.choices import choices_of, record_choice
from service.store.database import Database
from service.store.errors import ConflictError, NotAllowedError, NotFoundError, StoreError
from service.store.rankings import rankings_of
from service.store.tables.cases import Case, RankingShown, SuggestionShown
from service.ulid import new_ulid

APP_SCOPES = frozenset({"write"})


def test_a_case_comes_back_with_its_ranking_to_the_last_digit(database: Database, school: School) -> None:
    ranking = a_ranking(ranking_id=new_ulid())
    case = a_case(
        observations=[{"instrument": "danielson-2022", "item": "3b", "value": 2.5, "observed_on": date(2026, 10, 2),
                       "note": "14 questions"}],
        context={"grade_band": "middle", "minutes_per_week": 30, "interests": ["questioning-discourse"]},
        declined=["exit-tickets"],
    )  # fmt: skip
    with database.write() as session:
        made = store_case(session, school.teacher, case, ranking, features={"text_model": 1.5}, now=NOW)
    with database.read() as session:
        view = get_case(session, school.teacher, made.case_id)
        frozen = session.scalar(select(RankingShown.features))
    assert (view.struggle, view.declined, view.created_at) == (STRUGGLE, ["exit-tickets"], NOW)
    assert view.observations[0]["note"] == "14 questions"
    assert view.rankings[0].ranking == ranking
    for suggestion in view.rankings[0].ranking.suggestions:
        assert sum(reason.effect for reason in suggestion.reasons) == suggestion.score
    assert frozen["context"]["minutes_per_week"] == 30
    assert frozen["text_model"] == 1.5
    assert asked_again(view) == case


def test_no_word_of_the_teacher_is_in_the_decision_tables(database: Database, school: School) -> None:
    with database.write() as session:
        stored(session, school.teacher)
        session.flush()
        for row in (*session.scalars(select(SuggestionShown)), *session.scalars(select(RankingShown)),
                    *session.scalars(select(Case))):  # fmt: skip
            assert "three hands" not in str({column.name: getattr(row, column.key) for column in row.__table__.columns})


def test_names_are_out_of_the_struggle_the_notes_and_the_quotes(database: Database, school: School) -> None:
    struggle = "A boy named Zephyr shouts. When Zephyr is away it is calm."
    observation = {"instrument": "own", "item": "1", "value": 2.0, "observed_on": NOW.date(), "note": "Zephyr shouted"}
    with database.write() as session:
        ranking = a_ranking("When Zephyr is away it is calm.")
        made = store_case(session, school.teacher, a_case(struggle, observations=[observation]), ranking, now=NOW)
        view = get_case(session, school.teacher, made.case_id)
    assert view.struggle == "A boy named [name] shouts. When [name] is away it is calm."
    assert view.observations[0]["note"] == "[name] shouted"
    quotes = [reason.text for reason in view.rankings[0].ranking.suggestions[0].reasons]
    assert quotes[1:3] == ["When [name] is away it is calm.", "The rest of what you wrote"]


def test_a_quote_that_is_not_in_the_stored_text_is_not_kept(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        made = stored(session, lite_school.teacher)
        add_ranking(session, lite_school.teacher, made.case_id, a_ranking("Something from elsewhere"), now=NOW)
        again = rankings_of(session, lite_school.teacher, made.case_id)[-1].ranking
    assert again.suggestions[0].reasons[1].text == "[…]"


def test_the_same_key_stores_a_case_once_and_another_case_under_it_is_refused(database, school: School) -> None:
    def send(struggle: str = STRUGGLE):
        with database.write() as session:
            case, ranking = a_case(struggle), a_ranking(ranking_id=new_ulid())
            return store_case(session, school.teacher, case, ranking, idempotency_key="k1", now=NOW)

    first, second = send(), send()
    assert (second.case_id, second.ranking_id) == (first.case_id, first.ranking_id)
    assert (first.is_known, second.is_known) == (False, True)
    with pytest.raises(ConflictError, match="something else"):
        send("Another struggle altogether, about pencils.")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Case)) == 1


def test_one_actors_key_is_not_anothers(database: Database, school: School) -> None:
    app = Actor(school.tenant_id, "app", "sis", scopes=APP_SCOPES)
    with database.write() as session:
        one = store_case(session, school.teacher, a_case(), a_ranking(), idempotency_key="k", now=NOW)
        two = store_case(session, app, a_case(), a_ranking(), idempotency_key="k", now=NOW)
    assert one.case_id != two.case_id


@pytest.mark.parametrize("key", ["", "x" * 101, "a\nb"])
def test_a_key_that_is_none_is_refused(lite: Database, lite_school: School, key: str) -> None:
    with pytest.raises(CaseError, match="idempotency key"), lite.write() as session:
        store_case(session, lite_school.teacher, a_case(), a_ranking(), idempotency_key=key)


def test_an_app_sees_what_it_sent_and_the_teacher_it_names_sees_it_too(database: Database, school: School) -> None:
    app = Actor(school.tenant_id, "app", "sis", scopes=APP_SCOPES)
    other = Actor(school.tenant_id, "app", "lms", scopes=APP_SCOPES)
    with database.write() as session:
        made = store_case(session, app, a_case(teacher_id="t-teacher"), a_ranking(), now=NOW)
        nobodys = store_case(session, app, a_case(teacher_id="who"), a_ranking(), now=NOW)
        assert get_case(session, school.teacher, made.case_id).teacher_id == school.teacher.id
        assert {line.id for line in list_cases(session, app).items} == {made.case_id, nobodys.case_id}
        assert [line.id for line in list_cases(session, school.teacher).items] == [made.case_id]
        for case_id in (made.case_id, nobodys.case_id):
            with pytest.raises(NotFoundError):
                get_case(session, other, case_id)
        with pytest.raises(NotAllowedError, match="teacher"):
            record_choice(session, app, nobodys.case_id, nobodys.ranking_id, "cold-calling", "chosen")


@pytest.mark.parametrize("who", ["coach", "administrator", "operator"])
def test_only_a_teacher_or_an_app_stores_a_case(lite: Database, lite_school: School, who: str) -> None:
    with pytest.raises(NotAllowedError), lite.write() as session:
        store_case(session, getattr(lite_school, who), a_case(), a_ranking())


def test_a_list_of_cases_goes_on_where_it_ended_even_within_one_moment(database: Database, school: School) -> None:
    with database.write() as session:
        made = [stored(session, school.teacher, now=NOW + timedelta(minutes=i // 2)).case_id for i in range(5)]
    seen, after = [], None
    with database.read() as session:
        while True:
            page = list_cases(session, school.teacher, after=after, limit=2)
            seen += [line.id for line in page.items]
            if (after := page.next) is None:
                break
        assert sorted(seen) == sorted(made)
        assert len(seen) == 5
        for cursor in ("x", "2026-11-02~01J", "2026-11-02T09:00:00+00:00~' OR 1=1"):
            with pytest.raises(CaseError):
                list_cases(session, school.teacher, after=cursor)
        with pytest.raises(CaseError):
            list_cases(session, school.teacher, limit=201)


def test_declining_is_logged_with_its_place_and_leads_to_a_second_list(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        record_choice(
            session, school.teacher, made.case_id, made.ranking_id, "wait-time", "declined",
            reason="already_do_this", why="Marcus needs more than that", now=NOW,
        )  # fmt: skip
        again = a_ranking(skills=("cold-calling", "entry-routine"))
        add_ranking(session, school.teacher, made.case_id, again, declined=["wait-time"], now=NOW + timedelta(1))
        view = get_case(session, school.teacher, made.case_id)
        choice = choices_of(session, school.teacher, made.case_id)[0]
    assert (choice.rank, choice.reason, choice.why) == (2, "already_do_this", "[name] needs more than that")
    assert view.declined == ["wait-time"]
    assert [len(shown.ranking.suggestions) for shown in view.rankings] == [3, 2]


def test_a_choice_fits_the_case_and_the_catalogue(lite: Database, lite_school: School) -> None:
    teacher = lite_school.teacher
    with lite.write() as session:
        made, other = stored(session, teacher), stored(session, teacher)
        off_list = record_choice(session, teacher, made.case_id, made.ranking_id, "exit-tickets", "chosen", now=NOW)
        assert [(c.id, c.rank) for c in choices_of(session, teacher, made.case_id)] == [(off_list, None)]
        with pytest.raises(NotFoundError):
            record_choice(session, teacher, made.case_id, other.ranking_id, "wait-time", "chosen")
        with pytest.raises(CaseError, match="catalogue"):
            record_choice(session, teacher, made.case_id, made.ranking_id, "be-nicer", "chosen")
        with pytest.raises(CaseError, match="reason"):
            record_choice(session, teacher, made.case_id, made.ranking_id, "wait-time", "chosen", why="because")


def test_a_choice_sent_twice_is_one_choice(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        ids = {
            record_choice(
                session, school.teacher, made.case_id, made.ranking_id, "wait-time", "chosen", idempotency_key="c1"
            )
            for _ in range(2)
        }
        assert len(choices_of(session, school.teacher, made.case_id)) == len(ids) == 1


def test_features_and_propensities_are_numbers_that_fit_the_list(lite: Database, lite_school: School) -> None:
    with lite.write() as session:
        with pytest.raises(StoreError, match="text"):
            store_case(session, lite_school.teacher, a_case(), a_ranking(), features={"said": {"x": ["my own words"]}})
        with pytest.raises(CaseError, match="propensities"):
            store_case(session, lite_school.teacher, a_case(), a_ranking(), propensities=[0.5])
        store_case(session, lite_school.teacher, a_case(), a_ranking(), propensities=[0.5, 0.3, 0.2], now=NOW)
        shown = session.scalars(select(SuggestionShown.propensity).order_by(SuggestionShown.rank)).all()
    assert shown[-3:] == [0.5, 0.3, 0.2]
