"""A clock that jumps a month ahead or back, and is set right again."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from school_app import STRUGGLE
from sqlalchemy import func, select

from recommender.cases import Case as AskedCase
from recommender.errors import SettingsError
from service import ulid
from service.access.rates import Rates
from service.casework import Casework
from service.metrics import Metrics
from service.problems import Problem
from service.settings import Settings
from service.store.actors import operator
from service.store.cases import get_case, list_cases
from service.store.choices import choices_of, record_choice
from service.store.cycles import end_cycle, list_cycles, start_cycle
from service.store.drafts import read_draft, save_draft
from service.store.queue import coach_queue
from service.store.retention import LONGEST_SILENCE, run_retention
from service.store.shares import share_case
from service.store.sign_in import IDLE, LONGEST, begin_session, end_sessions_of, resume, touch
from service.store.sign_in_links import issue_link, use_link
from service.store.tables.events import Event
from service.store.tables.sign_in import PageSession, SignInLink
from service.store.tables.texts import StoredText

NOW = datetime.now(UTC)
MONTH, HOUR, MINUTE = timedelta(days=30), timedelta(hours=1), timedelta(minutes=1)
AHEAD, BACK = NOW + MONTH, NOW - MONTH


@pytest.fixture
def teacher(school_app):
    return school_app.people["teacher"]


@pytest.fixture
def desk(school_app, served_model):
    return Casework(school_app.database, served_model, Metrics())


def opened(school_app, desk, now: datetime) -> tuple[str, str]:
    stored = desk.open_case(school_app.people["teacher"], AskedCase(case_id="c1", struggle=STRUGGLE), now=now)
    return stored.case_id, stored.ranking_id


def session_begun(school_app, now: datetime) -> str:
    teacher = school_app.people["teacher"]
    with school_app.database.write() as session:
        return begin_session(session, teacher.tenant_id, teacher.id, "link", now).secret


def is_valid(school_app, secret: str, now: datetime) -> bool:
    with school_app.database.read() as session:
        return resume(session, secret, now) is not None


@pytest.mark.parametrize("wrong", [AHEAD, BACK])
def test_a_session_begun_under_a_wrong_clock_is_not_valid_when_it_is_set_right(school_app, wrong):
    secret = session_begun(school_app, wrong)
    assert is_valid(school_app, secret, wrong + MINUTE)
    assert not is_valid(school_app, secret, NOW)
    # Nor later, when the day it was made on is there.
    run_retention(school_app.database, 12, NOW)
    assert not is_valid(school_app, secret, AHEAD + MINUTE)


@pytest.mark.parametrize("wrong", [AHEAD, BACK])
def test_a_session_does_not_outlive_a_week_by_a_clock_that_jumps_and_comes_back(school_app, wrong):
    secret = session_begun(school_app, NOW)
    assert not is_valid(school_app, secret, wrong)
    assert is_valid(school_app, secret, NOW + HOUR)
    assert not is_valid(school_app, secret, NOW + IDLE)
    assert not is_valid(school_app, secret, NOW + LONGEST)


def test_a_use_that_was_noted_ahead_of_the_clock_is_set_right_by_the_next(school_app):
    database, secret = school_app.database, session_begun(school_app, NOW)
    for moment in (NOW + 6 * HOUR, NOW + MINUTE):
        with database.read() as session:
            resumed = resume(session, secret, moment)
        touch(database, resumed, moment)
    assert not is_valid(school_app, secret, NOW + MINUTE + IDLE)


@pytest.mark.parametrize("wrong", [AHEAD, BACK])
def test_a_link_made_under_a_wrong_clock_signs_nobody_in_when_it_is_set_right(school_app, teacher, wrong):
    with school_app.database.write() as session:
        link = issue_link(session, operator(session, teacher.tenant_id), teacher.id, now=wrong)
        assert use_link(session, link.secret, NOW) is None
    run_retention(school_app.database, 12, NOW)
    with school_app.database.write() as session:
        assert use_link(session, link.secret, AHEAD + MINUTE) is None


@pytest.mark.parametrize("wrong", [AHEAD, BACK])
def test_links_that_are_ended_under_a_wrong_clock_stay_ended(school_app, teacher, wrong):
    with school_app.database.write() as session:
        link = issue_link(session, operator(session, teacher.tenant_id), teacher.id, now=NOW)
        secret = begin_session(session, teacher.tenant_id, teacher.id, "link", NOW).secret
        assert end_sessions_of(session, teacher, teacher.id, wrong) == 1
    with school_app.database.write() as session:
        assert use_link(session, link.secret, NOW + MINUTE) is None
        assert resume(session, secret, NOW + MINUTE) is None


@pytest.mark.parametrize("wrong", [AHEAD, BACK])
def test_the_list_shown_last_stands_and_the_word_said_last_counts_whatever_the_clock_says(
    school_app, desk, teacher, wrong
):
    case_id, ranking_id = opened(school_app, desk, NOW)
    with school_app.database.read() as session:
        skills = [s.skill_id for s in get_case(session, teacher, case_id).rankings[0].ranking.suggestions]
    second = desk.decline(teacher, case_id, ranking_id, skills[0], now=wrong)
    third = desk.decline(teacher, case_id, second, skills[1], now=NOW + MINUTE)
    with school_app.database.write() as session:
        record_choice(session, teacher, case_id, third, "cold-calling", "chosen", now=NOW + 2 * MINUTE)
    with school_app.database.read() as session:
        shown = [shown.ranking for shown in get_case(session, teacher, case_id).rankings]
        assert [ranking.ranking_id for ranking in shown] == [ranking_id, second, third]
        assert not {suggestion.skill_id for suggestion in shown[-1].suggestions} & set(skills[:2])
        said = [choice.skill_id for choice in choices_of(session, teacher, case_id)]
    assert said == [*skills[:2], "cold-calling"]


@pytest.mark.parametrize("wrong", [AHEAD, BACK])
def test_the_practice_begun_last_is_the_latest_whatever_the_clock_says(school_app, desk, teacher, wrong):
    begun = []
    for moment in (NOW, wrong, NOW + MINUTE):
        case_id, ranking_id = opened(school_app, desk, moment)
        with school_app.database.write() as session:
            choice = record_choice(session, teacher, case_id, ranking_id, "cold-calling", "chosen", now=moment)
            begun.append(start_cycle(session, teacher, case_id, choice, moment.date(), now=moment))
            end_cycle(session, teacher, begun[-1], "finished", moment.date(), now=moment)
    with school_app.database.read() as session:
        assert [cycle.id for cycle in list_cycles(session, teacher).items] == begun[::-1]


def in_parts(part) -> list[str]:
    """Ids of a list asked for one by one."""
    found, after = [], None
    while True:
        page = part(after)
        found += [getattr(item, "case_id", None) or item.id for item in page.items]
        if (after := page.next) is None:
            return found


def test_a_queue_and_a_list_by_date_lose_and_repeat_nothing_over_jumps(school_app, desk, teacher):
    moments = [NOW, AHEAD, BACK, NOW + MINUTE, AHEAD + HOUR, BACK - HOUR]
    coach, when = school_app.people["coach"], {}
    for moment in moments:
        case_id, _ = opened(school_app, desk, moment)
        when[case_id] = moment
        with school_app.database.write() as session:
            share_case(session, teacher, case_id, coach.id, moment)
    by_date = sorted(when, key=when.__getitem__)
    with school_app.database.read() as session:
        assert in_parts(lambda after: coach_queue(session, coach, after=after, limit=1)) == by_date
        assert in_parts(lambda after: list_cases(session, teacher, after=after, limit=1)) == by_date[::-1]


def test_ids_made_while_the_clock_jumps_are_all_different(monkeypatch):
    moments = [NOW, AHEAD, BACK, NOW] * 500
    made = []
    for moment in moments:
        monkeypatch.setattr(ulid.time, "time_ns", lambda moment=moment: int(moment.timestamp() * 1e9))
        made.append(ulid.new_ulid())
    assert len(set(made)) == len(moments)


def counts(school_app) -> list[int]:
    with school_app.database.read() as session:
        return [
            session.scalar(select(func.count()).select_from(t)) for t in (StoredText, SignInLink, PageSession, Event)
        ]


def test_retention_deletes_nothing_by_a_clock_that_is_far_ahead_until_somebody_says_it_is_right(
    school_app, desk, teacher
):
    opened(school_app, desk, NOW)
    with school_app.database.write() as session:
        save_draft(session, teacher, "Nobody listens when", {}, now=NOW)
        newest = session.scalar(select(func.max(Event.at)))
    before, far = counts(school_app), newest + LONGEST_SILENCE + MINUTE
    with pytest.raises(SettingsError, match=r"--trust-clock") as caught:
        run_retention(school_app.database, 12, far)
    assert f"{far:%Y-%m-%d}" in str(caught.value)
    assert counts(school_app) == before
    with school_app.database.read() as session:
        assert read_draft(session, teacher) is not None
    # A year in which nobody was there is no reason to keep what is due.
    due = {
        expired.tenant_id: expired.cases for expired in run_retention(school_app.database, 12, newest + LONGEST_SILENCE)
    }
    assert due[school_app.tenant_id] == 1
    run_retention(school_app.database, 12, far + LONGEST_SILENCE, trust_clock=True)


def test_retention_by_a_clock_that_is_behind_deletes_no_text(school_app, desk):
    opened(school_app, desk, NOW)
    before = counts(school_app)[0]
    for wrong in (BACK, NOW - timedelta(days=10_000)):
        run_retention(school_app.database, 12, wrong)
        assert counts(school_app)[0] == before


def test_what_was_counted_ahead_of_the_clock_shuts_nobody_out_when_it_is_set_right(monkeypatch):
    rates, right = Rates(Settings(app_requests_per_minute=5)), time.time()
    monkeypatch.setattr(time, "time", lambda: right + MONTH.total_seconds())
    for _ in range(5):
        rates.count("app_requests", "gradebook")
    with pytest.raises(Problem):
        rates.count("app_requests", "gradebook")
    monkeypatch.setattr(time, "time", lambda: right)
    for _ in range(5):
        rates.count("app_requests", "gradebook")
    with pytest.raises(Problem) as caught:
        rates.count("app_requests", "gradebook")
    assert int(caught.value.headers["Retry-After"]) <= 60
