"""What may be about someone's safety is never kept: not in a table, not in the file, not as a hash."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from store_rows import NOW, School, a_case, a_ranking

from recommender.cases import Ranking
from service.store.cases import add_ranking, get_case, store_case
from service.store.choices import record_choice
from service.store.database import Database
from service.store.drafts import read_draft, save_draft
from service.store.errors import ConflictError
from service.store.tables.cases import RankingShown
from service.store.tables.schema import METADATA
from service.store.tables.texts import StoredText

MARKER = "xylophonic"
TEXT = f"A {MARKER} thing happened at home."
NOTE = {"instrument": "own", "item": "1", "value": 2.0, "observed_on": NOW.date(), "note": f"a {MARKER} note"}


def safeguarding() -> Ranking:
    # With suggestions, which the engine never gives here: they must not get through even so.
    answer = {"status": "safeguarding", "message": "Please talk to your safeguarding lead."}
    return a_ranking(TEXT).model_copy(update=answer)


def test_no_word_of_it_is_in_any_table_or_in_the_file(database: Database, school: School) -> None:
    plain = Database(database.engine)
    with plain.write() as session:
        case = a_case(TEXT, observations=[NOTE])
        made = store_case(session, school.teacher, case, safeguarding(), idempotency_key="k", now=NOW)
        view = get_case(session, school.teacher, made.case_id)
    with plain.read() as session:
        for table in METADATA.sorted_tables:
            assert MARKER not in str(session.execute(select(table)).all()), table.name
        assert session.scalars(select(StoredText)).all() == []
    assert (view.struggle, view.texts_deleted_at) == (None, NOW)
    assert view.observations[0]["value"] == 2.0
    assert "note" not in view.observations[0]
    shown = view.rankings[0].ranking
    assert (shown.status, shown.suggestions, shown.input_hash) == ("safeguarding", [], "")
    assert shown.message == "Please talk to your safeguarding lead."
    if database.engine.dialect.name == "sqlite":
        file = Path(str(database.engine.url.database))
        kept = b"".join(path.read_bytes() for path in file.parent.glob(file.name + "*"))
        assert b"safeguarding lead" in kept
        assert MARKER.encode() not in kept


def test_the_same_request_again_is_still_one_case_and_no_hash_of_the_words_decides_it(database, school) -> None:
    def send(text: str, ranking: Ranking):
        with database.write() as session:
            return store_case(session, school.teacher, a_case(text), ranking, idempotency_key="k", now=NOW)

    first = send(TEXT, safeguarding())
    assert (send(TEXT, safeguarding()).case_id, send("Other words", safeguarding()).is_known) == (first.case_id, True)
    with pytest.raises(ConflictError):
        send("Other words", a_ranking())


def test_the_draft_of_it_goes_too_and_another_answer_leaves_the_draft(database: Database, school: School) -> None:
    with database.write() as session:
        save_draft(session, school.teacher, TEXT, {}, NOW)
        store_case(session, school.teacher, a_case("Something else"), a_ranking("Something else"), now=NOW)
        assert read_draft(session, school.teacher) is not None
        store_case(session, school.teacher, a_case(TEXT), safeguarding(), now=NOW)
        assert read_draft(session, school.teacher) is None
        assert MARKER not in str(session.execute(select(StoredText.content)).all())


def test_a_later_safeguarding_answer_deletes_the_texts_of_the_case(database: Database, school: School) -> None:
    plain = Database(database.engine)
    with plain.write() as session:
        case = a_case(TEXT, observations=[NOTE])
        made = store_case(session, school.teacher, case, a_ranking(TEXT), now=NOW)
        why = f"a {MARKER} why"
        record_choice(
            session, school.teacher, made.case_id, made.ranking_id, "wait-time", "declined", why=why, now=NOW
        )  # fmt: skip
        add_ranking(session, school.teacher, made.case_id, safeguarding(), now=NOW + timedelta(1))
        view = get_case(session, school.teacher, made.case_id)
        hashes = session.scalars(select(RankingShown.input_hash)).all()
        for table in METADATA.sorted_tables:
            assert MARKER not in str(session.execute(select(table)).all()), table.name
    assert (view.struggle, view.texts_deleted_at) == (None, NOW + timedelta(1))
    assert view.rankings[0].ranking.suggestions[0].reasons[1].text == "[deleted]"
    assert view.rankings[1].ranking.suggestions == []
    assert hashes == [None, ""]
