from __future__ import annotations

import pytest
from app_caller import Caller, problem

from recommender.observations import scores as table
from service.api.observations import MAX_ROWS
from service.served_model import examples
from service.store.observations import scores_of_teacher

ROW = {
    "teacher_id": "t-teacher", "visit": "v1", "observed_on": "2026-10-02", "observer": "o17",
    "instrument": "danielson-2022", "item": "3b", "value": 2,
}  # fmt: skip
NAMES = tuple(ROW)
CSV = {"Content-Type": "text/csv; charset=utf-8"}


@pytest.fixture
def caller(school_app):
    return Caller(school_app, "admin")


def send(caller, *rows, **options):
    return caller.post("/v1/observations", json={"scores": list(rows)}, **options)


def send_csv(caller, *lines, columns=NAMES, **options):
    content = "\n".join([",".join(columns), *lines]).encode()
    return caller.post("/v1/observations", content=content, headers=CSV, **options)


def taken(answer):
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return body["new"], body["known"], body["corrected"], len(body["refused"])


def kept(school_app, who="teacher"):
    with school_app.database.read() as session:
        return scores_of_teacher(session, school_app.people[who])


def test_rows_are_new_then_known_then_corrected(caller, school_app):
    rows = [ROW, ROW | {"item": "3c", "value": "3"}]
    assert taken(send(caller, *rows)) == (2, 0, 0, 0)
    assert taken(send(caller, *rows)) == (0, 2, 0, 0)
    assert taken(send(caller, ROW | {"value": 3}, rows[1])) == (0, 1, 1, 0)
    mine = kept(school_app)
    assert dict(zip(mine[table.ITEM], mine[table.VALUE], strict=True)) == {"3b": 3.0, "3c": 3.0}
    assert kept(school_app, "other_teacher").empty


def test_a_table_in_csv_says_the_same_as_rows_in_json(caller, school_app):
    assert taken(send_csv(caller, "t-teacher,v1,2026-10-02,o17,danielson-2022,3b,2")) == (1, 0, 0, 0)
    assert taken(send(caller, ROW)) == (0, 1, 0, 0)


def test_bad_rows_of_a_table_are_named_by_line_and_cost_no_good_one(caller, school_app):
    answer = send_csv(
        caller,
        "t-teacher,v1,2026-10-02,o17,danielson-2022,3b,2",
        "t-teacher,v1,02.10.2026,o17,danielson-2022,3c,2",
        "t-teacher,v1,2026-10-02,o17,danielson-2022,9z,2",
        't-teacher,v1,2026-10-02,o17,danielson-2022,"3c"x,2',
        "Marcus Bellweather,v1,2026-10-02,o17,danielson-2022,3c,2",
        "t-teacher,v1,2026-10-02,o17,danielson-2022,3c,9",
        "t-teacher,v1,2026-10-02,o17,danielson-2022,3c",
        "t-teacher,v1,2026-10-02,o17,danielson-2022,2a,",
        "t-teacher,v1,2026-10-02,o17,danielson-2022,2c,4",
    )
    assert taken(answer) == (2, 0, 0, 6)
    assert answer.json()["not_scored"] == 1
    assert [(row["row"], row["field"]) for row in answer.json()["refused"]] == [
        (3, "observed_on"), (4, "item"), (5, "the whole row"), (6, "teacher_id"), (7, "value"), (8, "the whole row"),
    ]  # fmt: skip
    assert "Bellweather" not in answer.text
    assert sorted(kept(school_app)[table.ITEM]) == ["2c", "3b"]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (None, "the whole row"),
        ([ROW], "the whole row"),
        (ROW | {"mood": "Marker"}, "the whole row"),
        ({name: value for name, value in ROW.items() if name != "visit"}, "visit"),
        (ROW | {"teacher_id": ["Marker"]}, "teacher_id"),
        (ROW | {"observed_on": "2999-01-01"}, "observed_on"),
        (ROW | {"value": True}, "value"),
        (ROW | {"value": 1e308}, "value"),
        (ROW | {"value": 10**300}, "value"),
        (ROW | {"value": "Marker"}, "value"),
        (ROW | {"segment": -1}, "segment"),
        (ROW | {"note": "Marker\x00"}, "note"),
        (ROW | {"observation_type": "Marker"}, "observation_type"),
    ],
)
def test_a_bad_row_of_a_list_is_named_by_its_place_and_its_words_are_not_repeated(caller, log_lines, row, field):
    answer = send(caller, ROW, row)
    assert taken(answer) == (1, 0, 0, 1)
    [refused] = answer.json()["refused"]
    assert (refused["row"], refused["field"]) == (2, field)
    assert "Marker" not in answer.text + log_lines.getvalue()


def test_formal_evaluations_are_left_out_unless_they_are_asked_for(caller, school_app):
    formal = ROW | {"observation_type": "formal"}
    answer = send(caller, formal, ROW | {"item": "3c"})
    assert (taken(answer), answer.json()["formal"]) == ((1, 0, 0, 0), 1)
    answer = send(caller, formal, params={"include_formal": "true"})
    assert (taken(answer), answer.json()["formal"]) == ((1, 0, 0, 0), 0)


def test_names_are_out_of_the_notes_that_are_kept(caller, school_app):
    send(caller, ROW | {"note": "Mr. Bellweather asked 14 questions"})
    assert kept(school_app)[table.NOTE][0] == "Mr. [name] asked 14 questions"


def test_a_file_s_tenant_does_not_count(caller, school_app):
    send(caller, ROW | {"tenant": "another"})
    assert kept(school_app)[table.TENANT][0] == school_app.tenant_id


@pytest.mark.parametrize(
    "body", [[], {}, {"scores": {}}, {"scores": []}, {"scores": [ROW], "more": 1}, {"rows": [ROW]}]
)
def test_a_list_of_another_shape_is_refused_as_a_whole(caller, body):
    answer = caller.post("/v1/observations", json=body)
    assert problem(answer) == (422, "invalid-request")
    assert answer.json()["errors"] == [{"field": "scores", "wanted": "a list of 1 to 5,000 rows"}]


@pytest.mark.parametrize("content", [b"", b"\n", b"teacher_id,visit\nt,v\n", ",".join(NAMES).encode(), b'"x'])
def test_a_table_without_its_columns_or_rows_is_refused_as_a_whole(caller, content):
    answer = caller.post("/v1/observations", content=content, headers=CSV)
    assert problem(answer) == (422, "invalid-request")
    assert answer.json()["errors"][0]["field"] == "the whole body"


def test_more_rows_than_fit_are_refused_before_any_is_stored(caller, school_app):
    lines = [f"t-teacher,v{number},2026-10-02,o17,danielson-2022,3b,2" for number in range(MAX_ROWS + 1)]
    assert problem(send_csv(caller, *lines)) == (422, "invalid-request")
    assert problem(send(caller, *[{}] * (MAX_ROWS + 1))) == (422, "invalid-request")
    assert kept(school_app).empty


def test_a_body_may_be_as_large_as_a_batch(caller):
    rows = [ROW | {"visit": f"v{number}", "note": "x" * 3_900} for number in range(300)]
    assert taken(send(caller, *rows)) == (300, 0, 0, 0)


@pytest.mark.parametrize("media_type", ["text/plain", "text/csv; charset=latin-1", "application/vnd.ms-excel"])
def test_another_media_type_is_refused(caller, media_type):
    answer = caller.post("/v1/observations", content=b"x", headers={"Content-Type": media_type})
    assert problem(answer) == (415, "unsupported-scores")


@pytest.mark.parametrize("scopes", [("score",), ("write",), ("score", "write")])
def test_scores_and_norms_want_the_scope_of_an_administrator(school_app, scopes):
    other = Caller(school_app, *scopes)
    assert problem(send(other, ROW)) == (403, "forbidden")
    assert problem(other.post("/v1/norms")) == (403, "forbidden")


def test_norms_are_fitted_to_what_is_stored_and_answered_with_counts(caller, school_app):
    assert problem(caller.post("/v1/norms")) == (409, "no-scores")
    rows = [
        ROW
        | {"teacher_id": f"t{teacher}", "observer": f"o{teacher % 3}", "item": item, "value": 1 + (teacher + place) % 4}
        for teacher in range(12)
        for place, item in enumerate(("2a", "2b", "3b", "3c"))
    ]
    assert taken(send(caller, *rows)) == (48, 0, 0, 0)
    fitted = caller.post("/v1/norms")
    assert (fitted.status_code, fitted.json()) == (200, {"scores": 48, "items": 4, "observers": 3})
    writer = Caller(school_app, "write")
    observation = {name: value for name, value in ROW.items() if name != "teacher_id"}
    assert writer.open(observations=[observation]).json()["ranking"]["status"] == "ranked"


@pytest.mark.parametrize("name", examples()["scores"].keys())
def test_every_documented_list_of_scores_is_taken(caller, name):
    assert taken(caller.post("/v1/observations", json=examples()["scores"][name])) == (2, 0, 0, 0)


@pytest.mark.parametrize("name", examples()["score_tables"].keys())
def test_every_documented_table_of_scores_is_taken(caller, name):
    content = examples()["score_tables"][name].encode()
    assert taken(caller.post("/v1/observations", content=content, headers=CSV)) == (2, 0, 0, 0)
