"""Whether groups of teachers are shown, take, decline and are judged on the same terms."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.special import expit

from recommender.cases import Context
from recommender.catalogue.loader import Catalogue
from recommender.learning.audit_answers import Answers
from recommender.learning.audit_attributes import Attributes
from recommender.learning.audit_findings import Finding
from recommender.learning.audit_gaps import Entry, GroupRate, group_rates, worst_gap, worst_ratio
from recommender.learning.audit_parameters import GroupMargins
from recommender.learning.evidence import Evidence, EvidenceRow
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.positions import estimate_positions
from recommender.learning.signals import read_signals

# measure -> what it is about (a domain, a skill, a reason; "" for one thing only) -> what teachers add to it
Entries = dict[str, dict[str, list[Entry]]]
# Of which a lower rate is worse, and told as a ratio; of the others any gap is told as a difference.
RATIOS = ("chosen",)
# Not shares of cases but means of differences.
MEANS = ("calibration",)
_STREAM = 23


@dataclass(frozen=True)
class GroupCounts:
    """How the two files fit: numbers only, and none from which a hidden group's size follows."""

    lists: int = 0
    unknown_teachers: int = 0
    """Named in the attribute file, not met in the evidence"""
    without_attributes: int = 0
    """Lists of teachers the attribute file does not name"""
    of_two_tenants: int = 0
    """Lists left out because one pseudonym stands in two tenants"""
    refused_rows: int = 0
    """Of the attribute file"""


@dataclass(frozen=True)
class GroupAudit:
    """Findings, the groups' own rates by attribute and measure, and how many groups were too small for a measure."""

    findings: list[Finding] = field(default_factory=list)
    rates: dict[str, dict[str, dict[str, dict[str, GroupRate]]]] = field(default_factory=dict)
    hidden: dict[str, dict[str, int]] = field(default_factory=dict)
    counts: GroupCounts = GroupCounts()


def audit_groups(
    evidence: Evidence,
    attributes: Attributes,
    catalogue: Catalogue,
    margins: GroupMargins,
    answers: Answers | None = None,
    seed: int = 0,
) -> GroupAudit:
    """Compare groups of each attribute; the joined table lives in this call only.

    ``answers``: a model version that screens consented texts again, at most ``margins.screened`` of them, drawn by
    ``seed``; None leaves abstaining and alarms out, which the evidence itself does not tell.
    """
    tenants = defaultdict(set)
    for row in evidence.rows:
        tenants[row.teacher].add(row.tenant)
    rows = [row for row in evidence.rows if len(tenants[row.teacher]) == 1]
    measured = _measure(rows, catalogue)
    if answers is not None:
        measured.update(_screened(rows, answers, margins.screened.value, seed))
    audit = GroupAudit(
        counts=GroupCounts(
            lists=len(rows),
            unknown_teachers=len(attributes.teachers - tenants.keys()),
            without_attributes=sum(row.teacher not in attributes.teachers for row in rows),
            of_two_tenants=len(evidence.rows) - len(rows),
            refused_rows=len(attributes.rejects),
        )
    )
    for attribute, group_of in attributes.values.items():
        _compare(attribute, group_of, measured, margins, audit)
    return audit


def _compare(
    attribute: str, group_of: Mapping[str, str], measured: Entries, margins: GroupMargins, audit: GroupAudit
) -> None:
    for measure, by_subject in measured.items():
        rates = {
            subject: group_rates(entries, group_of, margins.smallest.value, share=measure not in MEANS)
            for subject, entries in by_subject.items()
        }
        audit.rates.setdefault(attribute, {})[measure] = rates
        met = {group_of[entry.teacher] for entries in by_subject.values() for entry in entries
               if entry.teacher in group_of and entry.below > 0}  # fmt: skip
        shown = max((len(groups) for groups in rates.values()), default=0)
        if len(met) > shown:
            audit.hidden.setdefault(attribute, {})[measure] = len(met) - shown
        finding = _worst(attribute, measure, rates, margins)
        if finding is not None:
            audit.findings.append(finding)


def _worst(
    attribute: str, measure: str, rates: Mapping[str, Mapping[str, GroupRate]], margins: GroupMargins
) -> Finding | None:
    """The subject with the widest gap, its interval allowing for all subjects and pairs of groups."""
    groups = max((len(each) for each in rates.values()), default=0)
    comparisons = len(rates) * groups * (groups - 1) // 2
    ratio = measure in RATIOS
    gaps = []
    for subject, by_group in rates.items():
        gap = worst_ratio(by_group, comparisons) if ratio else worst_gap(by_group, comparisons)
        if gap is not None:
            gaps.append((gap[0].mean, subject, gap))
    if not gaps:
        return None
    pick = min if ratio else max
    _, subject, (interval, low, high) = pick(gaps, key=lambda each: each[0])
    detail = f"{low} lowest, {high} highest"
    return Finding(
        "groups",
        attribute,
        measure,
        interval,
        _margin(measure, margins),
        detail=f"{subject}: {detail}" if subject else detail,
        most=not ratio,
    )


def _margin(measure: str, margins: GroupMargins) -> float:
    value: float = {
        "exposure": margins.exposure,
        "skill_exposure": margins.skill_exposure,
        "chosen": margins.ratio,
        "removed": margins.removed,
        "declined_for": margins.declined_for,
        "calibration": margins.calibration,
    }.get(measure, margins.not_answered).value
    return value


def _measure(rows: Sequence[EvidenceRow], catalogue: Catalogue) -> Entries:
    """Everything the evidence itself tells, by measure and subject."""
    listed = [row for row in rows if row.shown]
    removed, over = _judged(rows, catalogue)
    return {
        "exposure": _exposure(listed, catalogue),
        "skill_exposure": _skill_exposure(listed),
        "chosen": {"": [Entry(row.teacher, float(_has_choice(row)), 1) for row in listed]},
        "removed": {"": removed},
        "declined_for": _declined_for(rows),
        "calibration": {"": over},
        "no_list": {"": [Entry(row.teacher, float(not row.shown), 1) for row in rows]},
    }


def _exposure(rows: Sequence[EvidenceRow], catalogue: Catalogue) -> dict[str, list[Entry]]:
    """Shown places by domain."""
    places = Counter(row.teacher for row in rows for _ in row.shown)
    by_domain = Counter((catalogue[place.skill_id].domain, row.teacher) for row in rows for place in row.shown)
    return {
        domain: [Entry(teacher, by_domain[domain, teacher], count) for teacher, count in places.items()]
        for domain in catalogue.domains
    }


def _skill_exposure(rows: Sequence[EvidenceRow]) -> dict[str, list[Entry]]:
    """Lists by the skills they show, of skills shown to anybody."""
    lists = Counter(row.teacher for row in rows)
    by_skill = Counter((place.skill_id, row.teacher) for row in rows for place in row.shown)
    return {
        skill: [Entry(teacher, by_skill[skill, teacher], count) for teacher, count in lists.items()]
        for skill in sorted({skill for skill, _ in by_skill})
    }


def _declined_for(rows: Sequence[EvidenceRow]) -> dict[str, list[Entry]]:
    """Declines by reason, of reasons given by anybody."""
    declines = Counter(row.teacher for row in rows for _ in _reasons(row))
    by_reason = Counter((reason, row.teacher) for row in rows for reason in _reasons(row))
    return {
        reason: [Entry(teacher, by_reason[reason, teacher], count) for teacher, count in declines.items()]
        for reason in sorted({reason for reason, _ in by_reason})
    }


def _has_choice(row: EvidenceRow) -> bool:
    return any(choice.decision == "chosen" for choice in row.choices)


def _reasons(row: EvidenceRow) -> list[str]:
    return [choice.reason or "no reason" for choice in row.choices if choice.decision == "declined"]


def _judged(rows: Sequence[EvidenceRow], catalogue: Catalogue) -> tuple[list[Entry], list[Entry]]:
    """Removals, and probabilities less what coaches held true once what they may not have looked at is allowed for."""
    parameters = load_learning_parameters()
    judgements, _ = read_signals(rows, catalogue, parameters)
    positions = estimate_positions(rows, parameters.examination)
    target = positions.target(judgements.said, judgements.about.place)
    over = expit(judgements.about.log_odds) - target
    who = [rows[at].teacher for at in judgements.row]
    removed = [Entry(teacher, float(kind == "removed"), 1) for teacher, kind in zip(who, judgements.kinds, strict=True)]
    return removed, [Entry(teacher, float(value), 1) for teacher, value in zip(who, over, strict=True)]


def _screened(rows: Sequence[EvidenceRow], answers: Answers, most: int, seed: int) -> Entries:
    """Statuses of texts there is consent for, read again; nothing of a text is kept."""
    told = [row for row in rows if row.struggle]
    drawn = np.random.default_rng([seed, _STREAM]).permutation(len(told))[:most]
    entries: Entries = {"abstained": {"": []}, "alarms": {"": []}}
    for row, status in _statuses([told[i] for i in sorted(drawn.tolist())], answers):
        entries["abstained"][""].append(Entry(row.teacher, float(status in ("not_enough", "out_of_scope")), 1))
        entries["alarms"][""].append(Entry(row.teacher, float(status == "safeguarding"), 1))
    return entries


def _statuses(rows: Sequence[EvidenceRow], answers: Answers) -> Iterator[tuple[EvidenceRow, str]]:
    for row in rows:
        context = Context.model_validate(row.context.model_dump())
        yield row, answers.of(row.struggle or "", context).status
