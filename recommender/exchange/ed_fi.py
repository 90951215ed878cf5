"""Imports Ed-Fi performance evaluation: interchange XML, API JSON or template CSV to the score table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

from recommender.catalogue.instrument import Instrument
from recommender.errors import DataFileError, ScoreError
from recommender.exchange.ed_fi_csv import template_records
from recommender.exchange.ed_fi_json import json_records
from recommender.exchange.ed_fi_mapping import read_mapping
from recommender.exchange.ed_fi_ratings import Records, score_rows
from recommender.exchange.ed_fi_records import Place, element, element_rating, review
from recommender.exchange.ed_fi_trees import Found, Kind, Tree
from recommender.exchange.ed_fi_xml import xml_records
from recommender.exchange.file_formats import check_readable
from recommender.exchange.imported import Imported
from recommender.exchange.pseudonyms import Pseudonyms
from recommender.exchange.rejects import Reject

_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


def read(
    paths: Sequence[Path],
    instruments: Mapping[str, Instrument],
    mapping: Path | None = None,
    pseudonyms: Pseudonyms | None = None,
) -> Imported:
    """The element ratings of one export, which may be spread over files: elements in one, ratings in another.

    ``mapping``: a YAML file (see ElementMapping) for evaluations whose titles do not tell the instrument.
    ``pseudonyms``: default none, so that ids that look like a person are refused. Ratings of objectives, evaluations
    and performance evaluations are derived, and left out; so are student surveys and the like. With more than one
    path, a reject's field is preceded by the file's name.

    Raises DataFileError for a file that cannot be read as Ed-Fi at all, and for a broken mapping.
    """
    elements = read_mapping(mapping, instruments) if mapping is not None else None
    records = Records()
    refused: list[tuple[Place, Reject]] = []
    for number, path in enumerate(paths):
        check_readable(path)
        with path.open("rb") as stream:
            for found in _found(path, stream):
                reject = found if isinstance(found, Reject) else _keep(records, number, *found)
                if reject is not None:
                    refused.append((Place(number, reject.line), reject))
    rows = score_rows(records, instruments, elements, pseudonyms or Pseudonyms(), date.today())
    in_order = sorted([*refused, *rows.rejects], key=lambda entry: entry[0])
    rejects = [_named(reject, paths[place.file]) if len(paths) > 1 else reject for place, reject in in_order]
    return Imported(rows.scores, rejects, rows.counts)


def _found(path: Path, stream: BinaryIO) -> Iterator[Found | Reject]:
    suffix = path.suffix.lower()
    if suffix == ".xml":
        return xml_records(stream, path.name)
    if suffix in _JSON_SUFFIXES:
        return json_records(stream)
    if suffix == ".csv":
        return template_records(stream, path.name)
    raise DataFileError(
        f"the suffix {path.suffix!r}" if path.suffix else "no suffix",
        wanted=f"one of .xml, {', '.join(_JSON_SUFFIXES)}, .csv",
        where=str(path),
    )


def _keep(records: Records, file: int, kind: Kind, line: int, tree: Tree) -> Reject | None:
    """Take one record in; the reject says why it could not be."""
    try:
        if kind == "element rating":
            records.ratings.append(element_rating(tree, Place(file, line)))
        elif kind == "element":
            records.elements.append(element(tree))
        else:
            records.derived += 1
            reviewed = review(tree) if kind == "evaluation rating" else None
            if reviewed is not None:
                records.reviews.append(reviewed)
    except ScoreError as error:
        return Reject(line, error.where, error.found, error.wanted)
    return None


def _named(reject: Reject, path: Path) -> Reject:
    return replace(reject, field=f"{path.name}: {reject.field}")
