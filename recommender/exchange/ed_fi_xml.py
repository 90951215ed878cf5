"""Ed-Fi interchange XML: ratings and elements with the line each starts on, in any namespace or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from recommender.errors import DataFileError
from recommender.exchange.ed_fi_trees import Found, Kind, Tree, field_name
from recommender.exchange.rejects import Reject

_KINDS: dict[str, Kind] = {
    "EvaluationElementRating": "element rating",
    "EvaluationElement": "element",
    "EvaluationObjectiveRating": "derived rating",
    "EvaluationRating": "evaluation rating",
    "PerformanceEvaluationRating": "evaluation rating",
}
_BLOCK_BYTES = 65_536
# The references of the standard nest about a dozen deep.
_MAX_DEPTH = 64


def xml_records(stream: BinaryIO, where: str) -> Iterator[Found | Reject]:
    """Every rating and element of an interchange file, in file order.

    What stands before broken XML is kept; a reject names the line from which nothing was read.

    Raises DataFileError for a document type declaration: an interchange has none, and entities are declared there.
    """
    interchange = _Interchange(where)
    while True:
        block = stream.read(_BLOCK_BYTES)
        problem = interchange.feed(block)
        yield from interchange.take()
        if problem is not None:
            yield problem
        if problem is not None or not block:
            return


class _TooDeepError(Exception):
    """Elements nested beyond ``_MAX_DEPTH``."""


class _Interchange:
    """Builds a tree for each record as its end tag is met; everything else passes by."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._found: list[Found | Reject] = []
        self._open: list[Tree] = []
        self._texts: list[list[str]] = []
        self._names: list[str] = []
        self._depth = 0
        self._start: tuple[Kind, int] | None = None
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.EntityDeclHandler = self._refuse_doctype
        self._parser = parser

    def feed(self, block: bytes) -> Reject | None:
        """Parse one block, the empty one as the end; the reject says why the rest is not read."""
        try:
            self._parser.Parse(block, not block)
        except _TooDeepError:
            return self._stopped("elements nested too deeply")
        except expat.ExpatError:
            return self._stopped("broken XML")
        except (LookupError, ValueError):
            return self._stopped("an encoding that cannot be read")
        return None

    def take(self) -> list[Found | Reject]:
        """The records finished since the last call."""
        found, self._found = self._found, []
        return found

    def _stopped(self, found: str) -> Reject:
        line = self._parser.ErrorLineNumber if self._parser.ErrorCode else self._parser.CurrentLineNumber
        return Reject(max(line, 1), "the rest of the file", found, "well-formed interchange XML to the end")

    def _begin(self, tag: str, _attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _TooDeepError
        name = tag.rpartition(" ")[2]
        if self._start is None:
            if name not in _KINDS:
                return
            self._start = (_KINDS[name], self._parser.CurrentLineNumber)
        self._open.append({})
        self._texts.append([])
        self._names.append(field_name(name))

    def _characters(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def _end(self, _tag: str) -> None:
        self._depth -= 1
        if self._start is None:
            return
        tree, text, name = self._open.pop(), "".join(self._texts.pop()), self._names.pop()
        if self._open:
            self._open[-1].setdefault(name, []).append(tree if tree else text)
        else:
            self._found.append((*self._start, tree))
            self._start = None

    def _refuse_doctype(self, *_declaration: object) -> None:
        raise DataFileError(
            f"a document type declaration on line {self._parser.CurrentLineNumber}",
            wanted="an Ed-Fi interchange file, which has none",
            way_out="Remove it; entities are never expanded here.",
            where=self._where,
        )
