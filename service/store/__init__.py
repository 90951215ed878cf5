"""What is kept, in SQLite or PostgreSQL: plain functions over a session, each given the actor who asks.

Foundations: ``database`` (engine, read and write transactions), ``schema_version`` and ``migrations`` (up and down),
``tables`` (by subject), ``errors``, ``actors`` (who asks, in which tenant), ``visibility`` (the one rule of who sees
what), ``idempotency`` (the same request twice), ``pages`` (lists in parts), ``events`` (append-only record).

Texts people wrote: ``redaction`` (names, e-mails, phones out, before anything is stored), ``text_keys`` (encryption),
``text_vault`` (the only door to the one table that holds texts).

People: ``people`` (tenants, people, roles), ``links`` (coach and teacher), ``keys`` (apps), ``sign_in`` (sessions on
the pages), ``sign_in_links`` and ``provider_sign_in`` (the ways to begin one).

The way of a case: ``cases``, ``rankings`` (the exposure log), ``shares`` (consent, given and taken back), ``queue`` (a
coach's list, by date), ``choices``, ``reviews``, ``cycles``, ``practice`` (check-ins and follow-up observations).
Beside it: ``drafts``, ``contests`` ("this is wrong because", answered by a person), ``alerts`` (for the safeguarding
lead, without a word), ``caseload`` (a coach's teachers by name). Learning from use: ``consents`` (off until given, by
school and person), ``evidence`` and ``evidence_file`` (what was agreed to, under pseudonyms).

A tenant as a whole: ``observations`` and ``tenant_norms``, ``counts``, ``outcomes`` and ``use`` over ``suppression``
(small cells stay hidden).

The end: ``export`` and ``deletion`` (one person, one case), ``retention``, ``backup``; ``admin_commands`` is `growth
admin`. Nothing here knows the web.
"""
