"""The draft of a moment: kept while it is written, without names, for the teacher to go on with."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from recommender.cases import MAX_STRUGGLE_CHARACTERS
from service.access.signed_in import TeacherSignedIn
from service.pages.box import form_error
from service.pages.form import Form
from service.pages.moment import as_teacher
from service.pages.moments import PATH, moments_page, wants_scores
from service.pages.posted import SentFields
from service.pages.render import fragment
from service.pages.strings import page_strings
from service.served_model import ServedModel
from service.state import Model, StoreDatabase
from service.store.actors import Actor
from service.store.database import Database
from service.store.drafts import drop_draft, save_draft
from service.store.redaction import PersonalKind, find_personal

router = APIRouter(include_in_schema=False)


@router.post("/draft")
def keep_draft(
    request: Request, me: TeacherSignedIn, sent: SentFields, database: StoreDatabase, model: Model
) -> Response:
    """Keep what is in the box for later; a script sends it while the teacher writes and shows what became of it."""
    form = Form.of(sent)
    error = _keep(form, as_teacher(me), database, model)
    if "hx-request" in request.headers:
        return fragment("draft_saved.html", said=error or _saved(), left_out=None if error else _left_out(form))
    if error is not None:
        return moments_page(request, me, database, form, wants_scores(sent), error=error, status=422)
    return RedirectResponse(f"{PATH}?done=draft", status_code=303)


def left_out_in_words(found: Counter[PersonalKind]) -> str | None:
    """What was taken out of a text, by kind and number; None when nothing was."""
    text = page_strings()["moments"]
    parts = [
        forms["one"] if found[kind] == 1 else forms["many"].format(count=found[kind])
        for kind, forms in text["left_out_kinds"].items()
        if found[kind]
    ]
    return text["left_out"].format(what=", ".join(parts)) if parts else None


def _keep(form: Form, actor: Actor, database: Database, model: ServedModel) -> str | None:
    """Keep a draft; why it was not kept, if it was not."""
    if form.error == "too_long":
        return form_error(form)
    is_about_safety = _is_about_safety(form, model)
    with database.write() as session:
        if not is_about_safety:
            save_draft(session, actor, form.struggle, _context(form))
            return None
        # As with a moment that is sent: such words are not kept, nor what was kept of them before.
        drop_draft(session, actor)
    return str(page_strings()["moments"]["not_saved"])


def _is_about_safety(form: Form, model: ServedModel) -> bool:
    """Whether the words, without names, would be answered with whom to talk to; unknown while no model is ready."""
    if form.error is not None or not model.is_ready:
        return False
    # Marks can make a text of the greatest length a little longer.
    redacted = find_personal(form.struggle).text[:MAX_STRUGGLE_CHARACTERS]
    return model.rank(replace(form, struggle=redacted).case()).status == "safeguarding"


def _saved() -> str:
    # The clock of this machine: a school's own server stands in its time zone.
    return str(page_strings()["moments"]["saved"].format(time=f"{datetime.now():%H:%M}"))


def _left_out(form: Form) -> str | None:
    return left_out_in_words(find_personal(form.struggle).found)


def _context(form: Form) -> dict[str, Any]:
    tapped = {"grade_band": form.grade_band, "subject": form.subject, "minutes_per_week": form.minutes}
    return {name: value for name, value in tapped.items() if value}
