"""Reads the catalogue's YAML files, one a domain, and refuses them with file, skill and field when a rule is broken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from recommender.catalogue.skill import Skill
from recommender.errors import DataFileError

# The C loader is ten times faster; where PyYAML was built without it the plain one reads the same.
_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SKILLS_FOLDER = Path(__file__).parent / "skills"


@dataclass(frozen=True)
class Catalogue:
    """The validated skills in a fixed order: by domain file name, then as written in the file."""

    skills: tuple[Skill, ...]
    version: str
    """First 12 hex digits of the SHA-256 over the files' names and bytes."""

    def __len__(self) -> int:
        return len(self.skills)

    def __iter__(self) -> Iterator[Skill]:
        return iter(self.skills)

    def __getitem__(self, skill_id: str) -> Skill:
        return self.skills[self.index[skill_id]]

    def __contains__(self, skill_id: object) -> bool:
        return skill_id in self.index

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Skill ids in catalogue order."""
        return tuple(skill.id for skill in self.skills)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Position of each skill id in catalogue order."""
        return {skill_id: position for position, skill_id in enumerate(self.ids)}

    @cached_property
    def domains(self) -> tuple[str, ...]:
        """Domain slugs in catalogue order."""
        return tuple(dict.fromkeys(skill.domain for skill in self.skills))

    @cached_property
    def neighbour_pairs(self) -> frozenset[frozenset[str]]:
        """Unordered pairs of skills either of which names the other as its neighbour."""
        return frozenset(frozenset((s.id, n.skill)) for s in self.skills for n in s.neighbours)

    def are_neighbours(self, first: str, second: str) -> bool:
        """Whether one of two skills names the other as easily mistaken for it."""
        return frozenset((first, second)) in self.neighbour_pairs


@lru_cache(maxsize=4)
def load_catalogue(folder: Path = SKILLS_FOLDER) -> Catalogue:
    """Load and validate every ``*.yaml`` in ``folder``.

    Raises DataFileError on the first broken rule, naming file, skill and field.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise DataFileError("no skill files", wanted="one YAML file a domain", where=str(folder))
    digest = hashlib.sha256()
    skills: list[Skill] = []
    for file in files:
        content = file.read_bytes()
        digest.update(file.name.encode() + b"\0" + content)
        skills.extend(read_domain_file(file.name, content))
    catalogue = Catalogue(tuple(skills), digest.hexdigest()[:12])
    _check_references(catalogue)
    return catalogue


def read_domain_file(name: str, content: bytes) -> list[Skill]:
    """Parse one domain file: ``domain``, ``title`` and ``skills``."""
    try:
        document = yaml.load(content, Loader=_SAFE_LOADER)
    except yaml.YAMLError as error:
        raise DataFileError(
            f"broken YAML ({str(error).splitlines()[-1].strip()})", wanted="YAML", where=name
        ) from error
    if not isinstance(document, dict) or set(document) != {"domain", "title", "skills"}:
        raise DataFileError("other top-level keys", wanted="domain, title and skills", where=name)
    if name != f"{document['domain']}.yaml":
        raise DataFileError(f"domain {document['domain']!r}", wanted="the file's own name", where=name)
    if not isinstance(document["skills"], list):
        raise DataFileError(
            f"skills of type {type(document['skills']).__name__}", wanted="a list of skills", where=name
        )
    return [_read_skill(name, document, entry) for entry in document["skills"]]


def _read_skill(name: str, document: Mapping[str, Any], entry: Any) -> Skill:
    where = f"{name}: {entry.get('id', '?') if isinstance(entry, dict) else '?'}"
    try:
        return Skill.model_validate({**entry, "domain": document["domain"], "domain_title": document["title"]})
    except (ValidationError, TypeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error), "input": ""}
        field = ".".join(str(part) for part in first["loc"])
        raise DataFileError(
            f"{str(first['input'])[:60]!r}", wanted=str(first["msg"]).lower(), where=f"{where}: {field}"
        ) from error


def _check_references(catalogue: Catalogue) -> None:
    seen: set[str] = set()
    for skill in catalogue:
        where = f"{skill.domain}.yaml: {skill.id}"
        if skill.id in seen:
            raise DataFileError(f"{skill.id!r} twice", wanted="every skill once", where=where)
        seen.add(skill.id)
    for skill in catalogue:
        named = {"prerequisites": skill.prerequisites, "neighbours": [n.skill for n in skill.neighbours]}
        for field, others in named.items():
            for other in others:
                if other not in catalogue.index or other == skill.id:
                    raise DataFileError(
                        repr(other), wanted="the id of another skill", where=f"{skill.domain}.yaml: {skill.id}: {field}"
                    )
    _check_prerequisites_end(catalogue)


def _check_prerequisites_end(catalogue: Catalogue) -> None:
    """Refuse a circle of prerequisites: nobody could start anywhere on it."""
    done: set[str] = set()

    def visit(skill_id: str, path: tuple[str, ...]) -> None:
        if skill_id in path:
            raise DataFileError(
                f"a circle {' > '.join([*path, skill_id])}", wanted="prerequisites that end", where="catalogue"
            )
        if skill_id not in done:
            for earlier in catalogue[skill_id].prerequisites:
                visit(earlier, (*path, skill_id))
            done.add(skill_id)

    for skill_id in catalogue.ids:
        visit(skill_id, ())
