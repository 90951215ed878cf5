"""What a Grow observation says in words and was shared with the teacher, without the names of the two people."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from recommender.exchange.grow_objects import member, members
from recommender.exchange.pseudonyms import redacted

_GLOWS, _GROWS = "listTwoColumnA", "listTwoColumnB"
# privateNotes1-4, textBoxes, comments and notes that are not marked as shared are never read.
_SHARED_NOTES = ("sharedNotes1", "sharedNotes2", "sharedNotes3")
_TAG = re.compile(r"<[^<>]{0,500}>")
_SHORTEST_NAME = 3
NAME_MARK = "[name]"


def observation_note(observation: dict[str, Any]) -> str:
    """Glows, grows and shared notes, one a line, without addresses and telephone numbers; "" where there is none."""
    lines = [" ".join(html.unescape(_TAG.sub(" ", text)).split()) for text in _shared_texts(observation)]
    names = _names_pattern(observation)
    # Addresses first: a name taken out of one would leave the rest of it.
    note = redacted("\n".join(dict.fromkeys(line for line in lines if line)))
    return names.sub(NAME_MARK, note) if names is not None else note


def _shared_texts(observation: dict[str, Any]) -> Iterator[str]:
    for name, label in ((_GLOWS, "Glow"), (_GROWS, "Grow")):
        yield from (f"{label}: {text}" for text in members(observation, name) if isinstance(text, str) and text.strip())
    texts = [member(observation, name) for name in _SHARED_NOTES]
    texts += [member(note, "text") for note in members(observation, "magicNotes") if member(note, "shared") is True]
    yield from (text for text in texts if isinstance(text, str))


def _names_pattern(observation: dict[str, Any]) -> re.Pattern[str] | None:
    """Matches the full names of teacher and observer in any case, and their capitalised parts alone."""
    full, parts = set(), set()
    for person in ("teacher", "observer"):
        name = member(member(observation, person), "name")
        if isinstance(name, str):
            words = re.findall(r"[^\W\d_][\w'’-]*", name)
            parts |= {word for word in words if len(word) >= _SHORTEST_NAME and word[0].isupper()}
            full |= {r"\W+".join(map(re.escape, words))} if len(words) > 1 else set()
    choices = [f"(?i:{name})" for name in sorted(full)] + [re.escape(part) for part in sorted(parts, key=len)[::-1]]
    return re.compile(rf"(?<!\w)(?:{'|'.join(choices)})(?!\w)") if choices else None
