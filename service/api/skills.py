"""Routes that show the catalogue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.skill import EvidenceLevel, Skill
from service.api.contract import problem_responses
from service.api.parameters import NOT_CHANGED, TAG_HEADER, KnownTags, tagged
from service.problems import FieldError, Problem
from service.version import service_version

router = APIRouter(prefix="/v1/skills", tags=["catalogue"])
TAGGED = {200: {"headers": TAG_HEADER}} | NOT_CHANGED


class SkillLine(BaseModel):
    """What a list of skills shows of each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    domain: str
    domain_title: str
    summary: str
    minutes_per_week: int
    evidence: EvidenceLevel


class SkillList(BaseModel):
    """Skills in catalogue order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    catalogue_version: str
    skills: list[SkillLine]


DomainQuery = Annotated[
    str | None,
    Query(description="Only the skills of this domain.", json_schema_extra={"enum": list(load_catalogue().domains)}),
]


@router.get(
    "",
    operation_id="list_skills",
    summary="List the skills",
    response_model=SkillList,
    responses=TAGGED | problem_responses(422, 500),
)
async def list_skills(known: KnownTags, domain: DomainQuery = None) -> Response:
    """Answer with every skill, or with those of one domain."""
    catalogue = load_catalogue()
    if domain is not None and domain not in catalogue.domains:
        wanted = "one of " + ", ".join(catalogue.domains)
        raise Problem("invalid-parameter", errors=[FieldError(field="domain", wanted=wanted)])
    skills = [_line(skill) for skill in catalogue if domain in (None, skill.domain)]
    return _tagged(SkillList(catalogue_version=catalogue.version, skills=skills), known)


@router.get(
    "/{skill_id}",
    operation_id="get_skill",
    summary="Show one skill",
    response_model=Skill,
    responses=TAGGED | problem_responses(404, 500),
)
async def get_skill(skill_id: str, known: KnownTags) -> Response:
    """Answer with everything the catalogue holds about a skill."""
    catalogue = load_catalogue()
    if skill_id not in catalogue:
        raise Problem("unknown-skill")
    return _tagged(catalogue[skill_id], known)


def _tagged(content: BaseModel, known: str) -> Response:
    """An answer that changes only with the catalogue, or with the version of the service that writes it."""
    return tagged(content.model_dump_json(by_alias=True), known, f"{load_catalogue().version}-{service_version()}")


def _line(skill: Skill) -> SkillLine:
    return SkillLine(
        id=skill.id,
        name=skill.name,
        domain=skill.domain,
        domain_title=skill.domain_title,
        summary=skill.summary,
        minutes_per_week=skill.minutes_per_week,
        evidence=skill.evidence.level,
    )
