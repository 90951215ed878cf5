"""Takes what could name a person out of a text before it is stored: names, e-mails, phones, addresses, numbers, links.

It is made of patterns and lists, so it misses names it has never seen without a title or a cue, and now and then takes
a word for a name. It is a net under the request not to name anybody, not a promise.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from service.store.redaction_patterns import NAME, NUMBERED, Span, name_spans, public_spans

PersonalKind = Literal["name", "email", "phone", "address", "id", "link"]

# "[name]" in place of two letters would make a text of short names grow to twice its length.
SHORT_MARK = "[…]"
MOST_GROWTH = 1.5


@dataclass(frozen=True)
class Redaction:
    """A text without what was found in it, and how often what was found; ``found`` is what a warning may say."""

    text: str
    found: Counter[PersonalKind]


def redact(text: str) -> str:
    """The text with marks such as [name] in place of what could name a person.

    Redacting again changes nothing, and the text is never longer than 1.5 times what it was.
    """
    return find_personal(text).text


def find_personal(text: str) -> Redaction:
    """Redact a text and count what was taken out: the warning at the box."""
    return _redact_all([text])[0]


def redact_together(texts: Sequence[str]) -> list[str]:
    """Redact texts about one case: a name that one of them gives away is taken out of all."""
    return [redaction.text for redaction in _redact_all(texts)]


def _redact_all(texts: Sequence[str]) -> list[Redaction]:
    now, found = list(texts), [Counter[PersonalKind]() for _ in texts]
    # What was taken out can give away more; each round leaves fewer characters that are no mark, so this ends.
    while True:
        before = list(now)
        now = [_numbered_out(text, count) for text, count in zip(now, found, strict=True)]
        spans = [name_spans(text) for text in now]
        names = _name_pattern(
            {text[start:end] for text, of_text in zip(now, spans, strict=True) for start, end in of_text}
        )
        if names is not None:
            now = [_names_out(*each, names) for each in zip(now, spans, found, strict=True)]
        if now == before:
            return [Redaction(text, count) for text, count in zip(now, found, strict=True)]


def _numbered_out(text: str, found: Counter[PersonalKind]) -> str:
    for kind, pattern in NUMBERED:
        text, count = pattern.subn(lambda match, kind=kind: _mark(kind, match.group()), text)  # type: ignore[misc]
        if count:
            found[kind] += count
    return text


def _name_pattern(surfaces: set[str]) -> re.Pattern[str] | None:
    """Finds every mention of names that were given away somewhere, whole or by one of their words."""
    names = surfaces | {part for surface in surfaces for part in NAME.findall(surface)}
    if not names:
        return None
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, sorted(names, key=lambda n: (-len(n), n)))) + r")(?!\w)")


def _names_out(text: str, spans: list[Span], found: Counter[PersonalKind], names: re.Pattern[str]) -> str:
    kept = public_spans(text)
    mentions = [match.span() for match in names.finditer(text)]
    taken = _joined([span for span in [*spans, *mentions] if not any(_overlap(span, public) for public in kept)])
    for start, end in reversed(taken):
        text = text[:start] + _mark("name", text[start:end]) + text[end:]
    if taken:
        found["name"] += len(taken)
    return text


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _mark(kind: PersonalKind, taken: str) -> str:
    mark = f"[{kind}]"
    if len(mark) <= MOST_GROWTH * len(taken):
        return mark
    return SHORT_MARK if len(SHORT_MARK) <= MOST_GROWTH * len(taken) else taken
