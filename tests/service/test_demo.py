from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from school_app import Browser
from sqlalchemy import URL, func, select

from recommender.errors import DataFileError
from recommender.training.corpus import WRITTEN, load_rows
from service import demo_texts as texts_module
from service.access.roles import page_routes, wanted_of
from service.app import create_app
from service.demo import demo_links, seed_demo
from service.demo_practice import Story
from service.demo_texts import demo_texts
from service.settings import Settings
from service.store.actors import operator, person_actor
from service.store.alerts import list_alerts
from service.store.caseload import caseload
from service.store.cases import get_case, list_cases
from service.store.contests import open_contests
from service.store.counts import tenant_counts
from service.store.cycles import get_cycle, list_cycles
from service.store.database import Database, engine_for
from service.store.evidence import EvidenceTold, evidence_rows
from service.store.keys import list_keys
from service.store.observations import scores_of_teacher
from service.store.outcomes import tenant_outcomes
from service.store.people import create_tenant
from service.store.practice import check_ins_of, follow_ups_of
from service.store.queue import coach_queue
from service.store.redaction import redact_together
from service.store.reviews import reviews_of
from service.store.sign_in import resume
from service.store.sign_in_links import use_link
from service.store.tables.base import Base
from service.store.tables.events import Event
from service.store.tables.observations import ScoreRow
from service.store.tables.people import Person, Tenant
from service.store.tenant_norms import current_norms

NOW = datetime(2026, 11, 19, 13, 30, tzinfo=UTC)  # a Thursday
ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
# Secrets, and a hash that the id of the tenant goes into.
DRAWN_ANEW = {"token_hash", "key_hash", "shown_prefix", "source_row_hash"}


@pytest.fixture
def copy_of(school_template, tmp_path):
    """Opens a copy of a database file under a name."""
    opened = []

    def make(name="growth.sqlite3", file=None):
        path = shutil.copy(file or school_template, tmp_path / name)
        opened.append(Database(engine_for(URL.create("sqlite", database=str(path)))))
        return opened[-1]

    yield make
    for database in opened:
        database.close()


@pytest.fixture(scope="module")
def seeded_file(school_template, served_model, tmp_path_factory):
    file = tmp_path_factory.mktemp("demo") / "growth.sqlite3"
    shutil.copy(school_template, file)
    database = Database(engine_for(URL.create("sqlite", database=str(file))))
    seed_demo(database, served_model, now=NOW)
    database.close()
    return file


@pytest.fixture
def seeded(copy_of, seeded_file):
    return copy_of(file=seeded_file)


@pytest.fixture
def visitors(seeded):
    """The people a visitor may be, by role, each signed in by their link: secret and actor."""
    found = {}
    for link in demo_links(seeded, Settings()):
        with seeded.write() as session:
            begun = use_link(session, link.address.partition("token=")[2])
            found[link.role] = (begun.secret, person_actor(session, begun.tenant_id, begun.person_id))
    return found


def few(*places):
    """The demo with one teacher of some groups only."""
    texts = demo_texts()
    groups = [texts.groups[place].model_copy(update={"teachers": 1}) for place in places]
    people = texts.people.model_copy(update={"teachers": texts.people.teachers[: len(places)]})
    return texts.model_copy(update={"groups": groups, "people": people})


def without_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_ids(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_ids(part) for part in value]
    return ULID.sub("id", value) if isinstance(value, str) else value


def content_of(database):
    """Every row of every table, but for what is drawn anew each time: ids and secrets."""
    with database.read() as session:
        return {
            table.name: sorted(
                repr(without_ids({key: part for key, part in row._mapping.items() if key not in DRAWN_ANEW}))
                for row in session.execute(select(table))
            )
            for table in Base.metadata.sorted_tables
        }


def test_the_same_seed_and_time_give_the_same_school_and_another_seed_another(copy_of, served_model):
    texts = few(0, 4, 7)
    first, second, third = copy_of("1.sqlite3"), copy_of("2.sqlite3"), copy_of("3.sqlite3")
    for database, seed in ((first, 7), (second, 7), (third, 8)):
        assert seed_demo(database, served_model, seed, NOW, texts).teachers == 3
    assert content_of(first) == content_of(second)
    assert content_of(first)["texts"] != content_of(third)["texts"]


def test_where_there_is_a_school_no_demo_is_made(copy_of, served_model):
    database = copy_of()
    with database.write() as session:
        create_tenant(session, "North School")
    before = content_of(database)
    assert seed_demo(database, served_model, now=NOW) is None
    assert content_of(database) == before
    assert demo_links(database, Settings()) == []


def test_a_demo_that_breaks_off_half_way_leaves_nothing(copy_of, served_model, monkeypatch):
    def break_off(*_):
        raise RuntimeError

    monkeypatch.setattr(Story, "_check_in", break_off)
    database = copy_of()
    with pytest.raises(RuntimeError):
        seed_demo(database, served_model, 7, NOW, few(0, 2, 4))
    assert not any(content_of(database).values())


def is_machine_written(struggle, texts):
    """Whether a stored struggle is a text of the corpus, or of the demo's own file, after redaction."""
    near = [text for text in texts if text[:9] == struggle[:9] or text[-9:] == struggle[-9:]]
    return any(redact_together([text]) == [struggle] for text in near)


def test_everybody_and_everything_in_it_is_made_up_and_marked_so(seeded):
    texts = [row.text for row in load_rows(WRITTEN)] + demo_texts().too_short + demo_texts().later_moments
    with seeded.read() as session:
        assert session.scalars(select(Tenant.is_demo)).all() == [True]
        people = session.scalars(select(Person)).all()
        assert {person.external_id.partition("-")[0] for person in people} == {"demo"}
        assert not [person for person in people if person.email]
        assert session.scalars(select(ScoreRow.source_system).distinct()).all() == ["demo"]
        teachers = [person for person in people if person.external_id.startswith("demo-t")]
        assert len(teachers) >= 30
        for teacher in teachers:
            actor = person_actor(session, teacher.tenant_id, teacher.id)
            for line in list_cases(session, actor).items:
                struggle = get_case(session, actor, line.id).struggle
                assert struggle is None or is_machine_written(struggle, texts)


def test_all_of_it_lies_in_the_past_and_events_stand_in_the_order_of_time(seeded):
    with seeded.read() as session:
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                latest = session.scalar(select(func.max(column))) if column.name.endswith("_at") else None
                # A key's end is all that lies ahead.
                assert latest is None or latest < NOW or column.name == "expires_at", f"{table.name}.{column.name}"
        events = session.scalars(select(Event).order_by(Event.id)).all()
        assert events[-1].at - events[0].at > timedelta(weeks=12)
        in_order = sum(later.at >= event.at for event, later in pairwise(events))
        # Ids of one millisecond have no order.
        assert in_order > 0.95 * len(events)


def test_the_teacher_shown_has_scores_a_reviewed_moment_and_practice_that_goes_on(seeded, visitors):
    _, teacher = visitors["teacher"]
    with seeded.read() as session:
        assert not scores_of_teacher(session, teacher).empty
        assert current_norms(session, teacher).of(teacher.tenant_id) is not None
        open_ones = [cycle for cycle in list_cycles(session, teacher).items if cycle.state == "open"]
        assert len(open_ones) == 1
        assert [look.phase for look in follow_ups_of(session, teacher, open_ones[0].id)] == ["baseline"]
        view = get_case(session, teacher, open_ones[0].case_id)
        assert view.rankings[0].ranking.status == "ranked"
        assert all(change.why for change in reviews_of(session, teacher, view.id)[0].changes)
        earlier = [cycle for cycle in list_cycles(session, teacher).items if cycle.state == "finished"]
        assert len(check_ins_of(session, teacher, earlier[0].id)) >= 4


def test_the_coach_shown_sees_that_practice_and_has_work_to_do(seeded, visitors):
    (_, teacher), (_, coach) = visitors["teacher"], visitors["coach"]
    with seeded.read() as session:
        cycle = next(cycle for cycle in list_cycles(session, teacher).items if cycle.state == "open")
        assert get_cycle(session, coach, cycle.id) == cycle
        assert coach_queue(session, coach).items
        assert len(caseload(session, coach).items) >= 10


def test_every_coach_has_new_moments_of_several_teachers_to_look_at_and_some_that_are_decided(seeded, visitors):
    (_, teacher), (_, shown) = visitors["teacher"], visitors["coach"]
    with seeded.read() as session:
        coaches = session.scalars(select(Person).where(Person.external_id.like("demo-coach-%"))).all()
        assert shown.id in {coach.id for coach in coaches}
        for person in coaches:
            coach = person_actor(session, person.tenant_id, person.id)
            new = coach_queue(session, coach, state="new").items
            assert len({entry.teacher_id for entry in new} - {teacher.id}) >= 2
            for entry in new:
                view = get_case(session, coach, entry.case_id)
                assert view.rankings[-1].ranking.status == "ranked"
                assert reviews_of(session, coach, entry.case_id) == []
            assert coach_queue(session, coach, state="done").items


def test_most_counts_of_the_administrator_reach_ten_and_outcomes_show(seeded, visitors):
    _, administrator = visitors["administrator"]
    with seeded.read() as session:
        for later in (timedelta(), timedelta(days=3), timedelta(days=10)):
            counts = tenant_counts(session, administrator, NOW + later)
            assert counts.teachers_with_a_case >= 30
            assert counts.teachers_reviewed >= 10
            assert all(counts.by_decision.values())
            assert all(counts.by_cycle_state.values())
            assert counts.by_status["ranked"] >= 30
            assert counts.by_outcome["more seen after"] >= 10
            assert any(counts.by_focus_domain.values())
            outcomes = tenant_outcomes(session, administrator, NOW + later).all_teachers
            assert outcomes.teachers >= 20
            assert 0 < outcomes.low < outcomes.change < outcomes.high
        assert len(list_keys(session, administrator)) == 1


def test_one_contest_waits_for_an_answer_and_one_alert_for_the_lead_without_a_word(seeded, seeded_file, visitors):
    with seeded.read() as session:
        assert [line.about for line in open_contests(session, visitors["administrator"][1]).items] == ["suggestion"]
        alerts = list_alerts(session, visitors["safeguarding"][1]).items
        assert [alert.seen_at for alert in alerts] == [None]
        answered = session.scalars(select(Event).where(Event.action == "contest.answered")).all()
        assert len(answered) == 1
    assert demo_texts().safeguarding[:40].encode() not in seeded_file.read_bytes()


def test_a_link_signs_one_of_four_in_once_and_new_links_end_the_old(seeded):
    old, new = (demo_links(seeded, Settings(public_url="http://localhost:9")) for _ in range(2))
    assert [link.role for link in new] == ["teacher", "coach", "administrator", "safeguarding"]
    assert [(link.name, link.role) for link in old] == [(link.name, link.role) for link in new]
    for link in (*old, *new):
        address, _, secret = link.address.partition("?token=")
        assert address == "http://localhost:9/sign-in/link"
        assert secret not in repr(link)
        with seeded.write() as session:
            begun = use_link(session, secret)
            assert (begun is None) == (link in old)
            assert begun is None or resume(session, begun.secret).is_demo
            assert use_link(session, secret) is None


def test_every_page_that_needs_no_choice_opens_for_the_people_shown(seeded, visitors, served_model):
    app = create_app(Settings(), served_model, seeded)
    opened = []
    for method, route in page_routes(app.routes):
        role = wanted_of(route)
        if method != "GET" or "{" in route.path or role is None:
            continue
        secret, _ = visitors["teacher" if role == "anyone" else role]
        answer = Browser(app, secret).get(route.path)
        assert answer.status_code == 200, route.path
        opened.append(route.path)
        if answer.headers["content-type"].startswith("text/html"):
            assert "made up" in answer.text, route.path
    assert {"/moments", "/coach", "/coach/caseload"} <= set(opened)


def test_what_people_of_the_demo_say_stays_as_it_is_written():
    texts = demo_texts()
    said = [
        *texts.too_short,
        *texts.later_moments,
        *(why for whys in texts.reviews.values() for why in whys),
        *(decline.why for decline in texts.declines),
        *texts.check_ins,
        *(note for notes in texts.looks.values() for note in notes),
        *texts.contests.model_dump().values(),
    ]
    for text in said:
        assert redact_together([text]) == [text]
    people = texts.people
    names = [*people.teachers, *people.coaches, people.administrator, people.safeguarding_lead]
    assert len(set(names)) == len(names)


def test_a_demo_file_with_a_teacher_too_many_is_refused_by_name(tmp_path, monkeypatch):
    broken = tmp_path / "demo.yaml"
    whole = texts_module.DEMO_FILE.read_text(encoding="utf-8")
    broken.write_text(whole.replace("    - Ada Fenn\n", "    - Ada Fenn\n    - Eve Extra\n"), encoding="utf-8")
    monkeypatch.setattr(texts_module, "DEMO_FILE", broken)
    demo_texts.cache_clear()
    try:
        with pytest.raises(DataFileError, match=r"demo\.yaml"):
            demo_texts()
    finally:
        demo_texts.cache_clear()


def test_the_school_and_some_of_its_people_have_said_yes_to_learning_from_use(seeded):
    with seeded.read() as session:
        tenant_id = session.scalar(select(Tenant.id))
        told = EvidenceTold()
        rows = list(evidence_rows(session, operator(session, tenant_id), bytes(32), told))
        assert told.rows > 20
        assert min(told.without_teacher, told.without_coach, told.without_words) > 0
        assert {bool(row.struggle) for row in rows} == {True, False}
        assert any(row.review for row in rows)
        assert any(row.outcome for row in rows)
