"""Whom an identity provider's word is about: by its own name for the person, the first time by e-mail address."""

from __future__ import annotations

from sqlalchemy import select

from service.store.database import StoreSession
from service.store.tables.people import Person

MAX_SUBJECT_CHARACTERS = 255


def person_of_provider(session: StoreSession, tenant_id: str, subject: str, verified_email: str | None) -> str | None:
    """Id of the person the provider calls ``subject``, None when the tenant knows nobody by that name.

    The first time, a verified address finds the person, and the name is kept: from then on the address may change and
    an address that is given to somebody else opens nothing. Nobody is created, and who has left is not found.
    """
    if not 1 <= len(subject) <= MAX_SUBJECT_CHARACTERS:
        return None
    there = Person.tenant_id == tenant_id, Person.left_at.is_(None)
    known = session.scalar(select(Person.id).where(Person.tenant_id == tenant_id, Person.provider_subject == subject))
    if known is not None:
        return session.scalar(select(Person.id).where(*there, Person.id == known))
    if verified_email is None:
        return None
    person = session.scalar(
        select(Person).where(*there, Person.email == verified_email.strip().lower(), Person.provider_subject.is_(None))
    )
    if person is None:
        return None
    person.provider_subject = subject
    session.flush()
    return person.id
