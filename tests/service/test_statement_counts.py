"""How often each page asks the database: no more than `statements.yaml` allows, and no oftener when there is more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from asked_routes import ASKED
from busy_school import BusySchool
from growing_school import MORE, grow
from guarded_school import forget_rates, school_in
from sqlalchemy import event

from service.access.roles import page_routes, wanted_of

BOUNDS = yaml.safe_load((Path(__file__).parent / "statements.yaml").read_text(encoding="utf-8"))
BY_ROUTE = {asked.route: asked for asked in ASKED}
# A page that asks less than its bound by more than this has a bound that holds nothing.
SLACK = 2
# Of everybody, so that nobody's row stands behind the name in the address.
NAMES = {"skill_id": "wait-time", "name": "none.png"}
# Where somebody who is signed in is sent on, and what is not there without a provider or a picture of that name.
NOT_SHOWN = {"GET /": 303, "GET /sign-in": 303} | dict.fromkeys(
    ("GET /sign-in/provider", "GET /sign-in/provider/answer", "GET /admin/model/files/{name}"), 404
)
# It reads each moment as the moment's page does: the case, its lists, choices, reviews, objections and shares.
EXPORT = "GET /my-data/export"


class Counted:
    """A school whose statements are counted by page, before and after it has grown."""

    def __init__(self, busy: BusySchool) -> None:
        self.busy = busy
        self._statements: list[str] = []
        event.listen(busy.school.database.engine, "before_cursor_execute", self._note)
        grow(busy, "autumn")
        self.before = dict(self._pages())
        grow(busy, "spring")
        self.after = dict(self._pages())

    def _note(self, connection, cursor, statement, *rest) -> None:
        if not statement.startswith("BEGIN"):
            self._statements.append(statement)

    def _pages(self) -> Iterator[tuple[str, int]]:
        for method, route in page_routes(self.busy.school.app.routes):
            if method == "GET":
                yield f"GET {route.path}", self._count(f"GET {route.path}", wanted_of(route))

    def _count(self, name: str, wanted: str | None) -> int:
        asked = BY_ROUTE.get(name)
        who = asked.who if asked else "teacher" if wanted in (None, "anyone") else wanted
        path = asked.path(self.busy) if asked else name.removeprefix("GET ").format(**NAMES)
        forget_rates(self.busy.school.app)
        self._statements.clear()
        status = self.busy.browser(who).get(path).status_code
        assert status == NOT_SHOWN.get(name, 200), name
        return len(self._statements)


@pytest.fixture(scope="module")
def counted(school_template, served_model, tmp_path_factory):
    with school_in(tmp_path_factory.mktemp("statements"), school_template, served_model) as school:
        yield Counted(BusySchool(school))


def test_every_page_has_a_bound_and_every_bound_a_page(counted):
    assert set(BOUNDS) == set(counted.after)


def test_no_page_asks_oftener_than_its_bound(counted):
    found = {name: count for name, count in counted.after.items() if name != EXPORT}
    assert {name: count for name, count in found.items() if count > BOUNDS[name]} == {}


def test_no_bound_is_so_wide_that_it_holds_nothing(counted):
    found = {name: count for name, count in counted.after.items() if name != EXPORT}
    assert {name: count for name, count in found.items() if count < BOUNDS[name] - SLACK} == {}


def test_no_page_asks_oftener_when_there_is_more_to_show(counted):
    grown = {
        name: (counted.before[name], count)
        for name, count in counted.after.items()
        if name != EXPORT and count > counted.before[name]
    }
    assert grown == {}


def test_an_export_asks_a_fixed_number_of_times_for_each_moment(counted):
    assert counted.after[EXPORT] - counted.before[EXPORT] <= MORE * BOUNDS[EXPORT]
