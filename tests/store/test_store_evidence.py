from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, update
from store_rows import KEY, NOW, STRUGGLE, School, a_case, a_ranking, add_teacher, make_school, stored

from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError, SettingsError
from recommender.learning.evidence import EvidenceRow, read_evidence
from service.store.actors import Actor, operator
from service.store.cases import StoredCase, add_ranking, store_case
from service.store.choices import record_choice
from service.store.consents import give_consent, withdraw_consent
from service.store.cycles import end_cycle, start_cycle
from service.store.database import Database, engine_for
from service.store.deletion import delete_case_texts, delete_person
from service.store.errors import NotAllowedError, NotFoundError
from service.store.evidence import EvidenceTold, evidence_rows
from service.store.evidence_file import KEY_FILE, read_pseudonym_key, write_evidence
from service.store.people import create_tenant, mark_left
from service.store.practice import add_follow_up
from service.store.rankings import SKILL_SCORES
from service.store.reviews import SkillChange, record_review
from service.store.shares import share_case
from service.store.tables.cases import Choice, SuggestionShown

SECRET = bytes(range(32))
STARTED = date(2026, 11, 3)


def rows_of(session, school: School, key: bytes = SECRET) -> tuple[list[EvidenceRow], EvidenceTold]:
    told = EvidenceTold()
    return list(evidence_rows(session, operator(session, school.tenant_id), key, told)), told


def agree(session, school: School, *people: Actor, words: bool = False) -> None:
    """The school and these people agree to decisions, and to words where there are any of theirs."""
    scopes = ("decisions", "words") if words else ("decisions",)
    for scope in scopes:
        give_consent(session, school.administrator, scope, of_tenant=True, now=NOW)
    for person in people:
        for scope in scopes if "teacher" in person.roles else ("decisions",):
            give_consent(session, person, scope, now=NOW)


def reviewed(session, school: School, made: StoredCase, teacher: Actor, now=NOW, place: int = 1) -> str:
    """The case shared with the coach and reviewed by them."""
    share_case(session, teacher, made.case_id, school.coach.id, now)
    changes = [
        SkillChange("wait-time", "move", place, "first, says Mrs. Hale"),
        SkillChange("cold-calling", "keep"),
        SkillChange("hinge-questions", "remove", None, "later"),
        SkillChange("entry-routine", "add", 2, "this too"),
    ]
    return record_review(session, school.coach, made.case_id, made.ranking_id, changes, now=now)


def practised(session, teacher: Actor, made: StoredCase, *, ended: bool = True) -> None:
    """Two looks before and one after: 1 of 4 and 2 of 4, then 3 of 4."""
    choice = record_choice(
        session, teacher, made.case_id, made.ranking_id, "cold-calling", "chosen", now=NOW + timedelta(hours=2)
    )
    cycle = start_cycle(session, teacher, made.case_id, choice, STARTED, now=NOW + timedelta(hours=2))
    for phase, seen in (("baseline", 1), ("baseline", 2), ("follow_up", 3)):
        add_follow_up(session, teacher, cycle, phase, STARTED, seen, 4, note="A note", now=NOW)
    if ended:
        end_cycle(session, teacher, cycle, "finished", date(2026, 12, 1), NOW + timedelta(weeks=4))


def test_without_a_yes_of_school_and_teacher_no_row_leaves(database: Database, school: School) -> None:
    with database.write() as session:
        stored(session, school.teacher)
        assert rows_of(session, school) == ([], EvidenceTold(without_tenant=1))
        give_consent(session, school.teacher, "decisions")
        assert rows_of(session, school) == ([], EvidenceTold(without_tenant=1))
        withdraw_consent(session, school.teacher, "decisions")
        give_consent(session, school.administrator, "decisions", of_tenant=True)
        assert rows_of(session, school) == ([], EvidenceTold(without_teacher=1))
        give_consent(session, school.teacher, "decisions")
        rows, told = rows_of(session, school)
        assert len(rows) == 1
        assert told == EvidenceTold(rows=1, without_words=1)
        mark_left(session, school.administrator, school.teacher.id)
        assert rows_of(session, school) == ([], EvidenceTold(without_teacher=1))


def test_a_row_holds_what_was_shown_and_said_to_the_digit_and_no_id_name_or_reason_in_words(
    database: Database, school: School
) -> None:
    with database.write() as session:
        case = a_case(case_id="sis-77", context={"grade_band": "middle", "subject": "science", "career_stage": "early"})
        scores = [round(0.01 * place - 0.5, 3) for place in range(len(load_catalogue()))]
        ranking = a_ranking().model_copy(update={"catalogue_version": load_catalogue().version})
        made = store_case(
            session, school.teacher, case, ranking, propensities=[0.9, 0.9, 1.0], features={SKILL_SCORES: scores},
            now=NOW,
        )  # fmt: skip
        reviewed(session, school, made, school.teacher, NOW + timedelta(hours=1))
        record_choice(
            session, school.teacher, made.case_id, made.ranking_id, "hinge-questions", "declined",
            reason="not_now", why="Because of Mrs. Hale", now=NOW + timedelta(minutes=5),
        )  # fmt: skip
        practised(session, school.teacher, made)
        agree(session, school, school.teacher, school.coach, words=True)
        (row,), told = rows_of(session, school)
    assert told == EvidenceTold(rows=1)
    assert (row.tenant, row.shown_at, row.struggle) == (school.tenant_id, NOW, STRUGGLE)
    assert row.context.model_dump() == {"grade_band": "middle", "subject": "science", "career_stage": "early"}
    assert (row.model_version, row.catalogue_version) == ("2026.11", load_catalogue().version)
    assert row.scores == scores
    assert [(place.skill_id, place.rank, place.propensity) for place in row.shown] == [
        ("cold-calling", 1, 0.9), ("wait-time", 2, 0.9), ("hinge-questions", 3, 1.0),
    ]  # fmt: skip
    # -0.2, 1.618 / rank, the rest of the words 1/3, an item 0.1
    assert row.shown[1].parts.model_dump() == {
        "prior": -0.2, "struggle": pytest.approx(0.8090 + 0.3333, abs=2e-4), "note": 0, "observation": 0.1,
        "context": 0, "constraint": 0,
    }  # fmt: skip
    assert row.shown[1].score == pytest.approx(-0.2 + 0.8090 + 0.3333 + 0.1, abs=2e-4)
    assert row.review is not None
    assert [(c.skill_id, c.action, c.to_rank) for c in row.review.changes] == [
        ("wait-time", "move", 1), ("cold-calling", "keep", None), ("hinge-questions", "remove", None),
        ("entry-routine", "add", 2),
    ]  # fmt: skip
    assert [(c.skill_id, c.decision, c.reason, c.rank) for c in row.choices] == [
        ("hinge-questions", "declined", "not_now", 3), ("cold-calling", "chosen", None, 1),
    ]  # fmt: skip
    assert row.outcome is not None
    assert row.outcome.model_dump() == {
        "skill_id": "cold-calling", "before_seen": 3, "before_looked_for": 8, "after_seen": 3, "after_looked_for": 4,
    }  # fmt: skip
    line = row.to_json()
    ids = (school.teacher.id, school.coach.id, made.case_id, made.ranking_id, "sis-77", "t-teacher", "Hale", "North")
    assert not [secret for secret in ids if secret in line]


def test_pseudonyms_are_the_keys_own_and_the_same_each_time(database: Database, school: School) -> None:
    with database.write() as session:
        first, second = stored(session, school.teacher), stored(session, school.teacher, now=NOW + timedelta(1))
        reviewed(session, school, first, school.teacher)
        agree(session, school, school.teacher, school.coach)
        rows, _ = rows_of(session, school)
        assert rows_of(session, school)[0] == rows
        assert rows[0].teacher == rows[1].teacher != rows[0].coach
        assert rows[0].case != rows[1].case
        assert second.case_id not in rows[1].to_json()
        (other, *_), _ = rows_of(session, school, bytes(32))
        assert {other.teacher, other.coach, other.case, other.id}.isdisjoint(
            {rows[0].teacher, rows[0].coach, rows[0].case, rows[0].id}
        )


def test_a_review_leaves_only_where_its_coach_agrees_and_the_last_of_them_counts(
    database: Database, school: School
) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        reviewed(session, school, made, school.teacher, NOW + timedelta(hours=1), place=3)
        agree(session, school, school.teacher)
        (row,), told = rows_of(session, school)
        assert (row.review, row.coach, told.without_coach) == (None, None, 1)
        give_consent(session, school.coach, "decisions")
        reviewed(session, school, made, school.teacher, NOW + timedelta(hours=2), place=1)
        (row,), told = rows_of(session, school)
        assert row.review is not None
        assert (row.review.reviewed_at, row.review.changes[0].to_rank) == (NOW + timedelta(hours=2), 1)
        assert (row.coach is not None, told.without_coach) == (True, 0)
        delete_person(session, school.operator, school.coach.id)
        (row,), told = rows_of(session, school)
        assert (row.review, row.coach, told.without_coach) == (None, None, 2)


def test_words_leave_only_where_teacher_and_school_agree_to_words_and_they_are_still_kept(
    database: Database, school: School
) -> None:
    with database.write() as session:
        made = stored(session, school.teacher, f"{STRUGGLE} Write to al@n.org")
        agree(session, school, school.teacher)

        def words() -> tuple[str | None, int]:
            (row,), told = rows_of(session, school)
            return row.struggle, told.without_words

        give_consent(session, school.teacher, "words")
        assert words() == (None, 1)
        give_consent(session, school.administrator, "words", of_tenant=True)
        text, without = words()
        assert (text, without) == (f"{STRUGGLE} Write to [email]", 0)
        withdraw_consent(session, school.teacher, "words")
        assert words() == (None, 1)
        give_consent(session, school.teacher, "words")
        delete_case_texts(session, school.tenant_id, [made.case_id])
        assert words() == (None, 0)


def test_a_case_with_a_safeguarding_answer_leaves_nothing_and_is_in_no_count(
    database: Database, school: School
) -> None:
    with database.write() as session:
        alarming = a_ranking().model_copy(
            update={"status": "safeguarding", "suggestions": [], "message": "Please talk to Ms. Duty"}
        )
        store_case(session, school.teacher, a_case(), alarming, now=NOW)
        turned = stored(session, school.teacher)
        agree(session, school, school.teacher, words=True)
        assert len(rows_of(session, school)[0]) == 1
        add_ranking(session, school.teacher, turned.case_id, alarming.model_copy(update={"ranking_id": None}), now=NOW)
        assert rows_of(session, school) == ([], EvidenceTold())
        withdraw_consent(session, school.teacher, "decisions")
        assert rows_of(session, school) == ([], EvidenceTold())


def test_there_is_one_row_for_each_list_oldest_first_and_a_message_is_a_row_without_places(
    database: Database, school: School
) -> None:
    with database.write() as session:
        made = stored(session, school.teacher, now=NOW + timedelta(hours=1))
        again = a_ranking(skills=("wait-time", "hinge-questions"))
        add_ranking(
            session, school.teacher, made.case_id, again, declined=["cold-calling"], now=NOW + timedelta(hours=3)
        )
        short = a_ranking().model_copy(update={"status": "not_enough", "suggestions": [], "message": "Say more"})
        store_case(session, school.teacher, a_case("Help."), short, now=NOW + timedelta(hours=2))
        record_choice(session, school.teacher, made.case_id, made.ranking_id, "cold-calling", "declined", now=NOW)
        agree(session, school, school.teacher)
        rows, _ = rows_of(session, school)
    assert [len(row.shown) for row in rows] == [3, 0, 2]
    assert [row.shown_at for row in rows] == [NOW + timedelta(hours=hours) for hours in (1, 2, 3)]
    assert rows[0].case == rows[2].case != rows[1].case
    # What was said belongs to the list it was said about.
    assert [len(row.choices) for row in rows] == [1, 0, 0]


def test_an_outcome_wants_an_ended_cycle_with_looks_before_and_after(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        practised(session, school.teacher, made, ended=False)
        other = add_teacher(session, school, "Bo")
        of_other = stored(session, other, now=NOW + timedelta(1))
        choice = record_choice(session, other, of_other.case_id, of_other.ranking_id, "wait-time", "chosen", now=NOW)
        cycle = start_cycle(session, other, of_other.case_id, choice, STARTED, now=NOW)
        add_follow_up(session, other, cycle, "baseline", STARTED, 1, 4, now=NOW)
        end_cycle(session, other, cycle, "finished", STARTED, NOW)
        agree(session, school, school.teacher, other)
        assert [row.outcome for row in rows_of(session, school)[0]] == [None, None]


def test_a_list_with_a_skill_that_left_the_catalogue_is_counted_and_left_out(
    database: Database, school: School
) -> None:
    with database.write() as session:
        made, of_choice = stored(session, school.teacher), stored(session, school.teacher)
        record_choice(session, school.teacher, of_choice.case_id, of_choice.ranking_id, "wait-time", "declined")
        agree(session, school, school.teacher)
        session.execute(
            update(SuggestionShown)
            .where(SuggestionShown.ranking_id == made.ranking_id, SuggestionShown.rank == 3)
            .values(skill_id="gone-skill")
        )
        assert rows_of(session, school)[1] == EvidenceTold(rows=1, without_words=1, unknown_skills=1)
        session.execute(update(Choice).values(skill_id="gone-skill"))
        assert rows_of(session, school) == ([], EvidenceTold(unknown_skills=2))


def test_a_case_of_nobody_in_the_school_never_leaves(database: Database, school: School) -> None:
    with database.write() as session:
        app = Actor(school.tenant_id, "app", "sis", scopes=frozenset({"write"}))
        store_case(session, app, a_case(teacher_id="t-nobody"), a_ranking(), now=NOW)
        store_case(session, app, a_case(teacher_id="t-teacher"), a_ranking(), now=NOW)
        agree(session, school, school.teacher)
        rows, told = rows_of(session, school)
        assert len(rows) == 1
        assert told.without_teacher == 1


def test_evidence_is_for_the_operator_of_the_tenant_alone(database: Database, school: School) -> None:
    with database.write() as session:
        other = make_school(session, "South")
        stored(session, school.teacher)
        agree(session, school, school.teacher)
        for actor in (school.administrator, school.coach, school.teacher):
            with pytest.raises(NotAllowedError):
                evidence_rows(session, actor, SECRET)
        assert rows_of(session, other) == ([], EvidenceTold())


def meet_somebody(session, school: School) -> Actor:
    """A teacher of the school with all there can be, reviewed by the school's coach."""
    teacher = add_teacher(session, school, "Bo")
    made = stored(session, teacher, now=NOW + timedelta(minutes=30))
    reviewed(session, school, made, teacher)
    practised(session, teacher, made)
    return teacher


def test_once_taken_back_the_next_evidence_is_as_if_the_person_had_never_been(
    database: Database, school: School, tmp_path: Path
) -> None:
    with database.write() as session:
        for minutes in (0, 20, 40, 60):
            made = stored(session, school.teacher, now=NOW + timedelta(minutes=minutes))
        reviewed(session, school, made, school.teacher)
        agree(session, school, school.teacher, school.coach, words=True)
    never, agreed, taken_back = (tmp_path / name for name in ("never", "agreed", "taken-back"))
    write_evidence(database, never, SECRET)
    with database.write() as session:
        somebody = meet_somebody(session, school)
        agree(session, school, somebody, words=True)
    write_evidence(database, agreed, SECRET)
    assert len(agreed.read_bytes().splitlines()) == len(never.read_bytes().splitlines()) + 1
    with database.write() as session:
        withdraw_consent(session, somebody, "decisions")
    write_evidence(database, taken_back, SECRET)
    assert taken_back.read_bytes() == never.read_bytes()


def test_of_two_databases_one_never_met_the_person_and_both_give_the_same_bytes(
    sqlite_template: Path, tmp_path: Path
) -> None:
    def opened(name: str, file: Path) -> Database:
        path = shutil.copy(file, tmp_path / name)
        return Database(engine_for(URL.create("sqlite", database=str(path))), KEY)

    first = opened("first", sqlite_template)
    with first.write() as session:
        school = make_school(session)
        stored(session, school.teacher)
        agree(session, school, school.teacher, school.coach, words=True)
    first.close()
    second = opened("second", tmp_path / "first")
    first = opened("third", tmp_path / "first")
    with second.write() as session:
        somebody = meet_somebody(session, school)
        agree(session, school, somebody, words=True)
    with second.write() as session:
        withdraw_consent(session, somebody, "decisions")
    for name, database in (("a", first), ("b", second)):
        told = write_evidence(database, tmp_path / name, SECRET)
        assert (told.rows, told.without_teacher) == (1, 0 if name == "a" else 1)
        database.close()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_coach_who_takes_it_back_leaves_the_lists_without_their_review(database: Database, school: School) -> None:
    with database.write() as session:
        made = stored(session, school.teacher)
        agree(session, school, school.teacher, school.coach)
        before, _ = rows_of(session, school)
        reviewed(session, school, made, school.teacher)
        assert rows_of(session, school)[0] != before
        withdraw_consent(session, school.coach, "decisions")
        assert rows_of(session, school)[0] == before


def test_the_file_is_private_replaced_whole_and_read_back_row_by_row(
    lite: Database, lite_school: School, tmp_path: Path
) -> None:
    with lite.write() as session:
        demo = create_tenant(session, "Demo", is_demo=True)
        for days in range(3):
            stored(session, lite_school.teacher, now=NOW + timedelta(days=days))
        agree(session, lite_school, lite_school.teacher, words=True)
        rows, _ = rows_of(session, lite_school)
    file = tmp_path / "evidence.jsonl"
    file.write_text("what was there before\n")
    file.chmod(0o644)
    assert write_evidence(lite, file, SECRET).rows == 3
    assert file.stat().st_mode & 0o777 == 0o600
    read = read_evidence(file)
    assert (list(read.rows), read.rejects) == (rows, ())
    assert write_evidence(lite, tmp_path / "demo", SECRET, [demo]).rows == 0
    with pytest.raises(NotFoundError):
        write_evidence(lite, file, SECRET, ["Nowhere"])
    with pytest.raises(DataFileError):
        write_evidence(lite, tmp_path / "no-folder" / "x", SECRET)
    assert read_evidence(file).rows == read.rows
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "evidence.jsonl", "growth.sqlite3"] + [
        name for name in ("growth.sqlite3-shm", "growth.sqlite3-wal") if (tmp_path / name).exists()
    ]


def test_the_pseudonym_key_is_made_once_for_this_account_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    key = read_pseudonym_key(folder)
    file = folder / KEY_FILE
    assert (len(key), file.stat().st_mode & 0o777) == (32, 0o600)
    assert read_pseudonym_key(folder) == key
    assert read_pseudonym_key(tmp_path / "other") != key
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    for broken in ("", "not a key", "ab" * 8):
        file.write_text(broken)
        with pytest.raises(SettingsError, match="no key") as caught:
            read_pseudonym_key(folder)
        assert not broken or broken not in str(caught.value)


@pytest.fixture
def run(lite: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator:
    from typer.testing import CliRunner

    from service.store.admin_commands import admin_app

    monkeypatch.setenv("GROWTH_DATABASE", lite.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("GROWTH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("GROWTH_TEXT_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    return lambda *words: CliRunner().invoke(admin_app, list(words))


def test_the_command_says_how_much_was_passed_on_and_left_out(
    lite: Database, lite_school: School, run, tmp_path: Path
) -> None:
    with lite.write() as session:
        made = stored(session, lite_school.teacher)
        reviewed(session, lite_school, made, lite_school.teacher)
        stored(session, add_teacher(session, lite_school, "Bo"))
        agree(session, lite_school, lite_school.teacher)
        south = make_school(session, "South")
        stored(session, south.teacher)
    file = tmp_path / "evidence.jsonl"
    done = run("evidence", str(file))
    assert done.exit_code == 0, done.output
    said = " ".join(done.stderr.split())
    assert said == (
        "1 rows, 1 of them without the teacher's words. "
        "Left out for want of consent: 1 lists of schools, 1 lists of teachers, 1 reviews of coaches."
    )
    assert STRUGGLE[:20] not in done.output
    assert json.loads(file.read_text())["tenant"] == lite_school.tenant_id
    assert run("evidence", str(file), "--tenant", "South").stderr.startswith("0 rows")
    assert file.read_text() == ""
    assert run("evidence", str(file), "--tenant", "Nowhere").exit_code == 2
