from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
from page_reading import visible

from service.pages.admin_use import use_rows
from service.pages.strings import page_strings
from service.store.events import Action
from service.store.use import WeekOfUse


@pytest.fixture
def administrator(school_app):
    return school_app.client_as("administrator")


def test_everything_that_can_happen_has_words():
    # What only the safeguarding lead may know is on no page of administration.
    known = {action for action in get_args(Action) if not action.startswith("alert.")}
    assert known <= set(page_strings()["admin"]["actions"])


def test_a_kind_of_thing_that_concerned_nobody_is_left_out_and_a_hidden_number_is_not():
    weeks = [
        WeekOfUse(date(2026, 11, 9), {"case.created": 12, "choice.made": None, "key.created": 0}),
        WeekOfUse(date(2026, 11, 2), {"case.created": 0, "choice.made": 0, "key.created": 0}),
    ]
    rows = [(row.action, row.people) for row in use_rows(weeks)]
    assert rows == [("case.created", [12, 0]), ("choice.made", [None, 0])]
    assert use_rows([]) == []


def test_the_log_says_who_did_what_with_whom_and_nothing_of_coaching(administrator, school_app):
    administrator.submit("/admin/contact", {"contact": "Ms. Duty"})
    administrator.submit(f"/admin/people/{school_app.people['coach'].id}/sign-in-links")
    school_app.client_as("teacher").submit("/moments", {"struggle": "They all talk over each other when I explain."})
    page = visible(administrator.get("/admin/use").text)
    assert "UTC Ada Administrator Sign-in link made Cora Coach" in page
    assert "UTC Ada Administrator Safeguarding contact changed –" in page
    assert "UTC The people who run it Person added Tess Teacher" in page
    assert "Moment written" not in page
    assert page.index("Sign-in link made") < page.index("School set up")


def test_a_part_of_the_log_that_does_not_exist_is_refused(administrator):
    assert administrator.get("/admin/use?after=x").status_code == 422
