"""Apps that write without pause and remember each answer, and what must be true of the database afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from school_app import STRUGGLE
from sqlalchemy import func, select, text

from recommender.cases import Case as AskedCase
from service.client import GrowthClient, ProblemError
from service.store.actors import operator
from service.store.database import Database, utc_now
from service.store.keys import create_key
from service.store.people import create_person, create_tenant
from service.store.tables.cases import Case, Choice, RankingShown, SuggestionShown
from service.store.tables.cycles import CheckIn
from service.store.tables.events import Event, IdempotencyKey
from service.store.tables.texts import StoredText

TEACHER = "t-teacher"
TABLES: dict[str, Any] = {"case": Case, "choice": Choice, "check_in": CheckIn}
# Too little to rank: such a case is quick, and most of what is written here is.
SHORT = "Help me please."
TOP = 3


def a_case(struggle: str) -> AskedCase:
    return AskedCase(case_id="c1", teacher_id=TEACHER, struggle=struggle, top=TOP)


def make_app(database: Database) -> str:
    """A school with a teacher and an app; the app's key."""
    with database.write() as session:
        root = operator(session, create_tenant(session, "North School"))
        create_person(session, root, "Tess Teacher", ["teacher"], external_id=TEACHER)
        return create_key(session, root, "gradebook", ["score", "write"]).secret


class Writer:
    """One app's writes in an order that never changes, each with a key of its own: it goes on where it was stopped.

    ``said`` has the ids of everything that was acknowledged, ``refused`` counts what was not, by status and kind.
    """

    def __init__(self, place: int, cycle_id: str) -> None:
        self.place, self.cycle_id, self.number = place, cycle_id, 0
        self.said: dict[str, list[str]] = {kind: [] for kind in TABLES}
        self.refused: Counter[tuple[int, str]] = Counter()
        self._first_of_case = ("", "", "")

    def go(self, client: GrowthClient, until: int, stop: threading.Event, *, asks_again: bool) -> None:
        """Write up to the number ``until``; a refusal ends it, or ``asks_again`` for the same with the same key."""
        while self.number < until and not stop.is_set():
            try:
                kind, made_id = self._write(client, f"{self.place}-{self.number}")
            except ProblemError as error:
                self.refused[error.status, error.kind] += 1
                if not asks_again:
                    return
                stop.wait(0.05)
                continue
            self.said[kind].append(made_id)
            self.number += 1

    def _write(self, client: GrowthClient, key: str) -> tuple[str, str]:
        turn = self.number % 20
        if turn == 0:
            made = client.open_case(a_case(STRUGGLE), idempotency_key=key)
            first = made.ranking.suggestions[0].skill_id
            self._first_of_case = (made.id, str(made.ranking.ranking_id), first)
            return "case", made.id
        if turn == 1:
            return "choice", client.decline(*self._first_of_case, why="Not now.", idempotency_key=key).id
        if turn % 2 == 0:
            return "case", client.open_case(a_case(SHORT), idempotency_key=key).id
        day = utc_now().date() - timedelta(days=1)
        return "check_in", client.check_in(self.cycle_id, day, turn, note="It went well.", idempotency_key=key)


def make_writers(address: str, key: str, many: int = 4) -> list[Writer]:
    """Writers on practice that has begun."""
    with GrowthClient(address, key) as client:
        made = client.open_case(a_case(STRUGGLE), idempotency_key="begun-case")
        skill = made.ranking.suggestions[0].skill_id
        chosen = client.choose(made.id, str(made.ranking.ranking_id), skill, idempotency_key="begun-choice")
    writers = [Writer(place, str(chosen.cycle)) for place in range(many)]
    writers[0].said["case"].append(made.id)
    writers[0].said["choice"].append(chosen.id)
    return writers


@contextmanager
def at_work(
    writers: Sequence[Writer], address: str, key: str, until: int, *, asks_again: bool = False
) -> Iterator[Callable[[], None]]:
    """All writers at once, one thread each; what is given waits until they are through. Leaving stops them."""
    stop = threading.Event()

    def work(writer: Writer) -> None:
        with GrowthClient(address, key, retries=0) as client:
            writer.go(client, until, stop, asks_again=asks_again)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in writers]
    for thread in threads:
        thread.start()

    def finish() -> None:
        for thread in threads:
            thread.join(120)
            assert not thread.is_alive()

    try:
        yield finish
    finally:
        stop.set()
        finish()


def acknowledged(writers: Sequence[Writer]) -> int:
    """How much has been acknowledged so far."""
    return sum(len(ids) for writer in writers for ids in writer.said.values())


def refusals(writers: Sequence[Writer]) -> set[tuple[int, str]]:
    """Every kind of refusal there was."""
    return {kind for writer in writers for kind in writer.refused}


def all_there(database: Database, writers: Sequence[Writer], *, in_doubt: int = 0) -> None:
    """Whatever was acknowledged is there, once, and at most ``in_doubt`` more; and none of it is half."""
    with database.read() as session:
        more = 0
        for kind, table in TABLES.items():
            said = [made_id for writer in writers for made_id in writer.said[kind]]
            kept = set(session.scalars(select(table.id)))
            assert len(said) == len(set(said))
            assert set(said) <= kept, kind
            more += len(kept) - len(said)
        assert more <= in_doubt
    none_is_half(database, in_doubt=in_doubt)


def none_is_half(database: Database, *, in_doubt: int = 0) -> None:
    """Each row has all that was written with it. Of ``in_doubt`` declines the second step may be missing yet."""
    with database.read() as session:

        def count(table: Any, *where: Any) -> int:
            return int(session.scalar(select(func.count()).select_from(table).where(*where)) or 0)

        def events(action: str) -> int:
            return count(Event, Event.action == action)

        if database.engine.dialect.name == "sqlite":
            assert session.execute(text("PRAGMA foreign_key_check")).all() == []
            assert session.scalar(text("PRAGMA integrity_check")) == "ok"
        cases, declined = count(Case), count(Choice, Choice.decision == "declined")
        assert events("case.created") == cases
        assert count(StoredText, StoredText.subject_kind == "case", StoredText.field == "struggle") == cases
        assert session.scalar(select(func.count(RankingShown.case_id.distinct()))) == cases
        assert count(RankingShown) == cases + events("case.ranked")
        assert declined - in_doubt <= events("case.ranked") <= declined
        ranked = set(session.scalars(select(RankingShown.id).where(RankingShown.status == "ranked")))
        lists = select(SuggestionShown.ranking_id, func.count()).group_by(SuggestionShown.ranking_id)
        assert dict(session.execute(lists).all()) == dict.fromkeys(ranked, TOP)
        quotes = select(StoredText.subject_id).where(StoredText.subject_kind == "ranking")
        assert ranked <= set(session.scalars(quotes))
        assert events("choice.made") == count(Choice)
        assert count(StoredText, StoredText.subject_kind == "choice") == declined
        assert events("check_in.made") == count(CheckIn)
        assert count(StoredText, StoredText.subject_kind == "check_in") == count(CheckIn)
        assert count(IdempotencyKey) == cases + count(Choice) + count(CheckIn)
