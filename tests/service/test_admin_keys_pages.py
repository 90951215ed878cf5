from __future__ import annotations

import re
from datetime import timedelta

import pytest
from page_reading import form, forms, visible

from service.pages.admin_keys import key_line
from service.store.actors import operator
from service.store.database import utc_now
from service.store.keys import KeyView, authenticate, create_key, list_keys


@pytest.fixture
def administrator(school_app):
    return school_app.client_as("administrator")


def keys(school_app):
    with school_app.database.read() as session:
        return list_keys(session, school_app.people["administrator"])


def actor_of(school_app, secret):
    with school_app.database.read() as session:
        return authenticate(session, secret)


def secret_in(page):
    (secret,) = re.findall(r"gr_[\w-]{43}", page)
    return secret


def test_a_key_is_shown_once_and_is_in_no_log(administrator, school_app, log_lines):
    answer = administrator.submit("/admin/keys", {"app": "gradebook", "scope": ["score", "write"], "days": "30"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    secret = secret_in(answer.text)
    actor = actor_of(school_app, secret)
    assert (actor.id, actor.scopes, actor.tenant_id) == ("gradebook", {"score", "write"}, school_app.tenant_id)
    page = administrator.get("/admin/keys").text
    assert secret not in page
    assert f"{secret[:10]}…" in page
    assert "Ask for skills to try; Store moments, choices and practice for teachers" in visible(page)
    assert secret not in log_lines.getvalue()
    (key,) = keys(school_app)
    assert timedelta(days=29) < key.expires_at - utc_now() <= timedelta(days=30)


REFUSED = [
    ({"app": "", "scope": "score", "days": "30"}, "Please use small letters"),
    ({"app": "Grade Book", "scope": "score", "days": "30"}, "Please use small letters"),
    ({"app": "gradebook", "days": "30"}, "Please tick at least one"),
    ({"app": "gradebook", "scope": "everything", "days": "30"}, "Please tick at least one"),
    ({"app": "gradebook", "scope": "score", "days": "0"}, "whole number from 1 to 1095"),
    ({"app": "gradebook", "scope": "score", "days": "1096"}, "whole number from 1 to 1095"),
    ({"app": "gradebook", "scope": "score", "days": "soon"}, "whole number from 1 to 1095"),
]


def test_a_key_that_cannot_be_made_is_refused_and_what_was_typed_is_kept(administrator, school_app):
    for fields, said in REFUSED:
        answer = administrator.submit("/admin/keys", fields)
        assert answer.status_code == 422, said
        (alert,) = re.findall(r'role="alert">([^<]+)<', answer.text)
        assert said in alert
        sent = form(answer.text, "/admin/keys").fields
        assert (sent["app"], sent["days"]) == (fields["app"], fields["days"])
    assert keys(school_app) == []


def test_replacing_a_key_shows_a_new_one_and_the_old_one_works_on(administrator, school_app):
    old = secret_in(administrator.submit("/admin/keys", {"app": "sis", "scope": "write", "days": "30"}).text)
    sent = form(administrator.get("/admin/keys").text, "/rotate")
    new = secret_in(administrator.post(sent.action, data=sent.fields).text)
    assert new != old
    assert actor_of(school_app, old) == actor_of(school_app, new)
    page = administrator.get("/admin/keys").text
    assert "Replaced, still works" in visible(page)
    # The old one has a follower already: only the new one can be replaced.
    assert len(forms(page, "/rotate")) == 1
    assert administrator.post(sent.action, data=sent.fields).status_code == 409


def test_ending_a_key_is_asked_once_more_and_works_at_once(administrator, school_app):
    secret = secret_in(administrator.submit("/admin/keys", {"app": "sis", "scope": "score", "days": "30"}).text)
    path = re.search(r'href="(/admin/keys/\w+/revoke)"', administrator.get("/admin/keys").text)[1]
    asked = administrator.get(path)
    assert f"End this key: sis, {secret[:10]}…" in visible(asked.text)
    assert secret not in asked.text
    assert actor_of(school_app, secret) is not None
    sent = form(asked.text, "/revoke")
    assert administrator.post(sent.action, data=sent.fields).headers["location"] == "/admin/keys?done=revoked"
    assert actor_of(school_app, secret) is None
    page = administrator.get("/admin/keys?done=revoked").text
    assert "State Ended by hand" in visible(page)
    assert forms(page, "/rotate") == []
    assert "/revoke" not in page


def test_a_key_says_what_state_it_is_in():
    now = utc_now()

    def state(**changes):
        fields = {"created_at": now, "expires_at": now + timedelta(days=1), "revoked_at": None, "replaced_by": None}
        line = key_line(KeyView("k", "sis", "gr_x", ("score",), **(fields | changes)), now)
        return line.state, line.can_rotate, line.can_revoke

    assert state() == ("working", True, True)
    assert state(replaced_by="other") == ("replaced", False, True)
    assert state(expires_at=now) == ("ended", False, False)
    assert state(revoked_at=now, replaced_by="other") == ("revoked", False, False)


def test_another_tenants_key_is_none_here(administrator, school_app):
    with school_app.database.write() as session:
        other = operator(session, school_app.people["outsider"].tenant_id)
        key = create_key(session, other, "theirs", ["score"])
    assert "theirs" not in administrator.get("/admin/keys").text
    assert administrator.get(f"/admin/keys/{key.id}/revoke").status_code == 404
    for end in ("rotate", "revoke"):
        assert administrator.submit(f"/admin/keys/{key.id}/{end}").status_code == 404
    assert actor_of(school_app, key.secret) is not None


def test_only_an_administrator_makes_keys(school_app):
    fields = {"app": "sis", "scope": "admin", "days": "30"}
    for who in ("teacher", "coach", "safeguarding"):
        assert school_app.client_as(who).submit("/admin/keys", fields).status_code == 403
    assert school_app.client_as("administrator").post("/admin/keys", data=fields).status_code == 403
    assert keys(school_app) == []
