from __future__ import annotations

import ast
import re
import socket
import threading
import time
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn
from school_app import STRUGGLE

from recommender.cases import Case, Ranking
from recommender.catalogue.loader import load_catalogue
from recommender.errors import SettingsError
from service.api.answers import Change
from service.client import GrowthClient, ProblemError
from service.http_calls import LONGEST_WAIT, Call, HttpCalls
from service.served_model import example_cases, examples
from service.store.shares import share_case

CASE = Case.model_validate({"case_id": "c1", "teacher_id": "t-teacher", "struggle": STRUGGLE})


@pytest.fixture
def address(school_app):
    """The school's application, served on loopback."""
    server = uvicorn.Server(uvicorn.Config(school_app.app, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        end = time.monotonic() + 20
        while not server.started:
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def app(address, school_app):
    with GrowthClient(address, school_app.key("score", "write", "admin")) as client:
        yield client


def test_what_needs_no_key_works_without_one_on_this_machine(address, served_model):
    with GrowthClient(address + "/") as client:
        assert client.ready().model_version == served_model.recommender.model_version
        assert client.model().catalogue_version == load_catalogue().version
        assert len(client.skills().skills) == 115
        assert {line.domain for line in client.skills("checking-feedback").skills} == {"checking-feedback"}
        assert client.skill("cold-calling") == load_catalogue()["cold-calling"]
        ranking = client.score(CASE)
        assert isinstance(ranking, Ranking) and ranking.status == "ranked"
        batch = client.score_batch([CASE, CASE.model_copy(update={"case_id": "c2"})])
        assert ([r.case_id for r in batch.rankings], batch.errors) == (["c1", "c2"], [])


def test_the_way_of_a_case_from_the_first_word_to_the_end_of_practice(app, school_app):
    made = app.open_case(CASE)
    ask = (made.id, str(made.ranking.ranking_id))
    declined, chosen = (suggestion.skill_id for suggestion in made.ranking.suggestions[:2])
    without = app.decline(*ask, declined, reason="not_now", why="Not this term.").ranking
    assert declined not in [suggestion.skill_id for suggestion in without.suggestions]
    with school_app.database.write() as session:
        share_case(session, school_app.people["teacher"], made.id, school_app.people["coach"].id)
    keep = Change(skill=chosen, action="keep")
    add = Change(skill="exit-tickets", action="add", to_rank=2, why="Then you see who follows.")
    review_id = app.review(*ask, "t-coach", [keep, add])
    assert [(review.id, review.changes) for review in app.reviews(made.id)] == [(review_id, [keep, add])]
    focus = app.choose(*ask, chosen, weeks=0)
    assert focus.cycle is None
    cycle_id = app.begin_cycle(focus.id, date(2026, 11, 2), weeks=4)
    app.check_in(cycle_id, date(2026, 11, 6), 3, note="It went well.")
    app.follow_up(cycle_id, "baseline", date(2026, 11, 3), 1, 4)
    assert app.end_cycle(cycle_id, "finished", date(2026, 12, 1)).state == "finished"
    cycle = app.cycle(cycle_id)
    assert (cycle.skill, cycle.check_ins[0].note, cycle.follow_ups[0].seen) == (chosen, "It went well.", 1)
    assert [c.id for c in app.all_cycles()] == [cycle_id]
    case = app.case(made.id)
    assert [choice.decision for choice in case.choices] == ["declined", "chosen"]
    assert case.choices == app.choices(made.id)
    assert len(case.rankings) == 2
    app.delete_case(made.id)
    with pytest.raises(ProblemError) as caught:
        app.case(made.id)
    assert (caught.value.status, caught.value.kind) == (404, "not-found")


def test_a_list_is_followed_to_its_end(app):
    made = [app.open_case(CASE).id for _ in range(3)]
    assert [line.id for line in app.all_cases()] == made[::-1]
    first = app.cases(limit=2)
    assert [line.id for line in app.cases(after=first.next, limit=2).items] == made[:1]


def test_one_key_makes_one_case_and_no_key_makes_another_each_time(app):
    first, again = (app.open_case(CASE, idempotency_key="k") for _ in range(2))
    assert first == again
    assert len({app.open_case(CASE).id for _ in range(2)}) == 2


def test_scores_go_in_as_rows_or_as_a_file(app):
    rows = examples()["scores"]["two_items"]["scores"]
    assert app.send_scores(rows).new == 2
    done = app.send_scores(examples()["score_tables"]["two_items"].encode() + b"t,v,x,o,danielson-2022,3b,1,\n")
    assert (done.known, [(row.row, row.field) for row in done.refused]) == (2, [(4, "observed_on")])
    assert app.send_scores([rows[0] | {"visit": "v2", "observation_type": "formal"}], include_formal=True).new == 1
    assert app.fit_norms().scores == 3


@pytest.mark.parametrize("name", example_cases().keys())
def test_every_documented_case_goes_the_whole_way(app, name):
    case = Case.model_validate(example_cases()[name])
    assert app.case(app.open_case(case).id).case_id == case.case_id


def test_a_refusal_says_what_is_wrong_and_where_and_no_word_that_was_sent(app, address):
    ranking = str(app.open_case(CASE).ranking.ranking_id)
    with pytest.raises(ProblemError) as caught:
        app.choose("Marker", ranking, "cold-calling")
    error = caught.value
    assert (error.status, error.kind, [e.field for e in error.errors]) == (422, "invalid-request", ["case"])
    assert error.request_id and error.request_id in str(error)
    assert "Marker" not in str(error)
    with GrowthClient(address, "gr_wrong") as client, pytest.raises(ProblemError) as caught:
        client.cases()
    assert (caught.value.status, caught.value.kind) == (401, "unauthorized")


def test_ids_cannot_leave_their_place_in_the_address(app):
    with pytest.raises(ProblemError) as caught:
        app.case("../skills?x=1#y")
    assert caught.value.status == 404


@contextmanager
def scripted(*script):
    """A server that answers as told: (status, headers) each, or None to hang up; it notes the requests it got."""
    left, got = list(script), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got.append((self.command, self.path, self.headers.get("Idempotency-Key"), body))
            step = left.pop(0)
            if step is None:
                self.close_connection = True
                return
            status, headers = step
            self.send_response(status)
            for name, value in (headers | {"Content-Length": "2"}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST = answer

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def calls(address, retries=2):
    waits = []
    return HttpCalls(address, None, 5.0, retries, waits.append), waits


def test_a_call_is_sent_again_when_the_service_says_not_now_and_waits_as_long_as_it_says():
    with scripted((429, {"Retry-After": "7"}), (503, {}), (200, {})) as (address, got):
        client, waits = calls(address)
        with client:
            assert client.send(Call("POST", "/x", b"[]")).status == 200
    assert len(got) == 3
    assert waits[0] == 7
    assert 0.75 <= waits[1] <= 1.25


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ([(429, {})] * 3, 429),
        ([(429, {"Retry-After": str(int(LONGEST_WAIT) + 1)})], 429),
        ([(500, {})], 500),
        ([(409, {})], 409),
        ([None] * 3, 0),
    ],
)
def test_what_cannot_be_helped_by_waiting_is_not_sent_again(script, status):
    with scripted(*script) as (address, got):
        client, _ = calls(address)
        with client, pytest.raises(ProblemError) as caught:
            client.send(Call("GET", "/x"))
    assert (caught.value.status, len(got)) == (status, len(script))


@pytest.mark.parametrize("script", [[(503, {})], [None]])
def test_a_call_that_would_make_something_twice_is_never_repeated(script):
    with scripted(*script) as (address, got):
        client, waits = calls(address)
        with client, pytest.raises(ProblemError):
            client.send(Call("POST", "/v1/norms", is_repeatable=False))
    assert (len(got), waits) == (1, [])


def test_a_broken_connection_costs_a_repeatable_call_nothing_and_its_key_stays_the_same(monkeypatch):
    monkeypatch.setattr("service.http_calls.FIRST_WAIT", 0.0)
    with scripted(None, (404, {})) as (address, got), GrowthClient(address) as client, pytest.raises(ProblemError):
        client.open_case(CASE)
    assert len(got) == 2
    assert got[0] == got[1]
    assert got[0][2]


def test_a_refusal_that_is_not_the_services_is_one_too():
    with scripted((418, {})) as (address, _), GrowthClient(address) as client, pytest.raises(ProblemError) as caught:
        client.ready()
    assert (caught.value.status, caught.value.kind) == (418, "unknown")


@pytest.mark.parametrize("address", ["", "growth.example", "ftp://growth.example", "http://", "http://x/?a=1"])
def test_an_address_that_is_none_is_refused_at_once(address):
    with pytest.raises(SettingsError):
        GrowthClient(address)


def test_the_readmes_program_prints_three_skills(address, school_app, capsys):
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    program = re.search(r"```python\n(.*?)```", readme, flags=re.DOTALL)[1]
    key = school_app.key("score", "write")
    exec(program.replace("http://127.0.0.1:8000", address).replace("gr_...", key), {})
    assert len(ast.literal_eval(capsys.readouterr().out)) == 3
