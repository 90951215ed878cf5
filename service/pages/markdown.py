"""Markdown as a model card uses it, as safe HTML: whatever is not known here is shown as it was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)[ \t#]*$")
_BULLET = re.compile(r"[-*+][ \t]+(.*)$")
_NUMBERED = re.compile(r"[0-9]{1,9}[.)][ \t]+(.*)$")
_RULE = re.compile(r"\|?[ \t]*:?-+:?[ \t]*(\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_FENCE = re.compile(r"```")
_PIECE = re.compile(
    r"`(?P<code>[^`\n]+)`|\*\*(?P<bold>[^*\n]+)\*\*"
    r"|(?P<image>!?)\[(?P<words>[^\[\]\n]*)\]\((?P<target>[^()\s]*)\)"
)
_WEB = ("https://", "http://")
LOWEST_LEVEL = 6


@dataclass
class _Reading:
    """The lines that are left, and how to write what is in them."""

    lines: list[str]
    images: Mapping[str, str]
    table_label: str
    first_level: int
    at: int = 0
    written: list[Markup] = field(default_factory=list)

    @property
    def line(self) -> str:
        return self.lines[self.at].strip() if self.at < len(self.lines) else ""

    @property
    def has_more(self) -> bool:
        return self.at < len(self.lines)


def render_markdown(
    text: str, *, images: Mapping[str, str] | None = None, table_label: str = "Table", first_level: int = 2
) -> Markup:
    """HTML of headings, paragraphs, lists, tables, fenced and inline code, bold words, web links and known images.

    ``images``: address by file name; an image of another name leaves its words. A link to anything but the web leaves
    its words too, because the files beside a card are not served. ``first_level``: what ``#`` becomes, 2 by default, as
    a page has a heading of its own. ``table_label``: read out for the box a wide table scrolls in. No tag, attribute
    or address of the text gets through unescaped.
    """
    reading = _Reading(text.splitlines(), images or {}, table_label, first_level)
    while reading.has_more:
        if not reading.line:
            reading.at += 1
            continue
        next(block for begins, block in _BLOCKS if begins(reading))(reading)
    return Markup("\n").join(reading.written)


def _begins_table(reading: _Reading) -> bool:
    has_next = reading.at + 1 < len(reading.lines)
    return reading.line.startswith("|") and has_next and _RULE.match(reading.lines[reading.at + 1].strip()) is not None


def _heading(reading: _Reading) -> None:
    found = _HEADING.match(reading.line)
    assert found is not None
    level = min(len(found[1]) + reading.first_level - 1, LOWEST_LEVEL)
    reading.written.append(Markup("<h{0}>{1}</h{0}>").format(level, _inline(found[2], reading.images)))
    reading.at += 1


def _list(pattern: re.Pattern[str], tag: str) -> Callable[[_Reading], None]:
    def block(reading: _Reading) -> None:
        items = []
        while found := pattern.match(reading.line):
            items.append(Markup("<li>{}</li>").format(_inline(found[1], reading.images)))
            reading.at += 1
        # The tag is one of this module's own two words.
        reading.written.append(Markup(f"<{tag}>\n{{}}\n</{tag}>").format(Markup("\n").join(items)))

    return block


def _table(reading: _Reading) -> None:
    names = _cells(reading.line)
    reading.at += 2
    rows = [_row(names, "th", reading)]
    while reading.line.startswith("|"):
        rows.append(_row((_cells(reading.line) + [""] * len(names))[: len(names)], "td", reading))
        reading.at += 1
    head, body = rows[0], Markup("\n").join(rows[1:])
    reading.written.append(
        Markup(
            '<div class="wide" role="group" tabindex="0" aria-label="{}"><table>\n<thead>\n{}\n</thead>\n'
            "<tbody>\n{}\n</tbody>\n</table></div>"
        ).format(reading.table_label, head, body)
    )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _row(cells: Sequence[str], tag: str, reading: _Reading) -> Markup:
    opening, closing = ('<th scope="col">', "</th>") if tag == "th" else ("<td>", "</td>")
    inside = (Markup(opening) + _inline(cell, reading.images) + Markup(closing) for cell in cells)
    return Markup("<tr>{}</tr>").format(Markup("").join(inside))


def _fenced(reading: _Reading) -> None:
    reading.at += 1
    inside = []
    while reading.has_more and not _FENCE.match(reading.line):
        inside.append(reading.lines[reading.at])
        reading.at += 1
    reading.at += 1
    reading.written.append(Markup('<pre tabindex="0"><code>{}</code></pre>').format("\n".join(inside)))


def _paragraph(reading: _Reading) -> None:
    inside = [reading.line]
    reading.at += 1
    while reading.line and not any(begins(reading) for begins, _ in _BLOCKS[:-1]):
        inside.append(reading.line)
        reading.at += 1
    reading.written.append(Markup("<p>{}</p>").format(_inline(" ".join(inside), reading.images)))


_BLOCKS: tuple[tuple[Callable[[_Reading], object], Callable[[_Reading], None]], ...] = (
    (lambda reading: _FENCE.match(reading.line), _fenced),
    (lambda reading: _HEADING.match(reading.line), _heading),
    (_begins_table, _table),
    (lambda reading: _BULLET.match(reading.line), _list(_BULLET, "ul")),
    (lambda reading: _NUMBERED.match(reading.line), _list(_NUMBERED, "ol")),
    (lambda _: True, _paragraph),
)


def _inline(text: str, images: Mapping[str, str]) -> Markup:
    return Markup("").join(_pieces(text, images))


def _pieces(text: str, images: Mapping[str, str]) -> Iterator[Markup]:
    end = 0
    for found in _PIECE.finditer(text):
        yield escape(text[end : found.start()])
        yield _piece(found, images)
        end = found.end()
    yield escape(text[end:])


def _piece(found: re.Match[str], images: Mapping[str, str]) -> Markup:
    if found["code"] is not None:
        return Markup("<code>{}</code>").format(found["code"])
    if found["bold"] is not None:
        return Markup("<strong>{}</strong>").format(_inline(found["bold"], images))
    words, target = found["words"], found["target"]
    if found["image"]:
        address = images.get(target)
        return escape(words) if address is None else Markup('<img src="{}" alt="{}">').format(address, words)
    if target.startswith(_WEB):
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(target, _inline(words, images))
    return _inline(words, images)
