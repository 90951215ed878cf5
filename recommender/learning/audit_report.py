"""The whole audit: groups, swaps and stress of one version, measured and kept as plain data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recommender.catalogue.loader import load_catalogue
from recommender.errors import SettingsError
from recommender.learning.audit_answers import Answers, VersionAnswers
from recommender.learning.audit_attributes import read_attributes
from recommender.learning.audit_findings import Finding, Part
from recommender.learning.audit_groups import MEANS, GroupAudit, audit_groups
from recommender.learning.audit_parameters import AuditParameters, load_audit_edits, load_audit_parameters
from recommender.learning.audit_stress import stress_scores, stress_texts
from recommender.learning.audit_swap_figures import measure_contrast
from recommender.learning.audit_swaps import contrasts, pair_sizes
from recommender.learning.audit_texts import audit_rows
from recommender.learning.evidence import Evidence, read_evidence
from recommender.ranking.recommender import Recommender
from recommender.training.corpus import REAL_DEV, Row, load_rows

Say = Callable[[str], None]

PARTS: tuple[Part, ...] = ("groups", "swaps", "stress")


@dataclass
class AuditReport:
    """Everything measured; ``sizes``: words that differ in each contrast and in its control."""

    version: str
    texts: tuple[int, int] = (0, 0)
    """Development and training struggles"""
    findings: list[Finding] = field(default_factory=list)
    sizes: dict[str, tuple[float, float]] = field(default_factory=dict)
    groups: GroupAudit | None = None

    def of(self, part: Part) -> list[Finding]:
        """The findings of one part."""
        return [finding for finding in self.findings if finding.part == part]

    def as_data(self) -> dict[str, Any]:
        """The report as rounded plain data; of groups only those large enough to be shown."""
        return {
            "version": self.version,
            "texts": {"development": self.texts[0], "training": self.texts[1]},
            "findings": [finding.as_data() for finding in self.findings],
            "words changed": {name: [round(size, 2) for size in sizes] for name, sizes in self.sizes.items()},
            "groups": None if self.groups is None else _group_data(self.groups),
        }


def audit_version(
    recommender: Recommender,
    evidence: Path | None = None,
    attributes: Path | None = None,
    training_texts: int | None = None,
    say: Say = lambda _: None,
) -> AuditReport:
    """Run every part on one version; groups only where both files are given.

    ``training_texts`` None takes audit.yaml's number. Raises SettingsError when one of the two files is missing beside
    the other, DataFileError for an unreadable one.
    """
    if (evidence is None) != (attributes is None):
        raise SettingsError(
            "evidence or attributes alone", wanted="both or none", way_out="Groups need --evidence and --attributes."
        )
    parameters = load_audit_parameters()
    answers = VersionAnswers(recommender)
    report = AuditReport(recommender.model_version)
    if evidence is not None and attributes is not None:
        audit_evidence(report, read_evidence(evidence), attributes, answers, parameters)
    count = parameters.sample.training_texts.value if training_texts is None else training_texts
    rows = audit_rows(count)
    audit_swaps(report, rows, answers, parameters, say)
    audit_stress(report, rows, recommender, answers, parameters, say)
    return report


def audit_evidence(
    report: AuditReport, evidence: Evidence, attributes: Path, answers: Answers, parameters: AuditParameters
) -> None:
    """Add the groups of teachers."""
    report.groups = audit_groups(evidence, read_attributes(attributes), load_catalogue(), parameters.groups, answers)
    report.findings += report.groups.findings


def audit_swaps(
    report: AuditReport, rows: Sequence[Row], answers: Answers, parameters: AuditParameters, say: Say
) -> None:
    """Add the counterfactual swaps over ``rows``."""
    development = {row.id for row in load_rows(REAL_DEV)}
    untrained = sum(row.id in development for row in rows)
    report.texts = (untrained, len(rows) - untrained)
    catalogue = load_catalogue()
    for contrast in contrasts(rows, load_audit_edits(), parameters):
        found = measure_contrast(contrast, rows, answers, catalogue, parameters)
        if found:
            report.findings += found
            report.sizes[contrast.about] = pair_sizes(contrast)
        say(f"{contrast.about}: {len(contrast.pairs):,} pairs")


def audit_stress(
    report: AuditReport,
    rows: Sequence[Row],
    recommender: Recommender,
    answers: Answers,
    parameters: AuditParameters,
    say: Say,
) -> None:
    """Add the stress of texts, on the first of ``rows``, and of simulated scores."""
    stressed = rows[: parameters.sample.stressed_texts.value]
    for found in stress_texts(stressed, answers, load_catalogue(), load_audit_edits(), parameters):
        report.findings += found
        say(f"stress: {found[0].about}" if found else "stress")
    for found in stress_scores(recommender, parameters):
        report.findings += found
        say(f"stress: {found[0].about}" if found else "stress")


def _group_data(groups: GroupAudit) -> dict[str, Any]:
    rates = {
        attribute: {
            measure: {
                subject: {
                    group: {"mean": round(rate.rate, 4), "sd": round(rate.variance**0.5, 4), "teachers": rate.teachers}
                    for group, rate in by_group.items()
                }
                for subject, by_group in subjects.items()
            }
            for measure, subjects in measures.items()
        }
        for attribute, measures in groups.rates.items()
    }
    return {"counts": vars(groups.counts), "hidden": groups.hidden, "rates": rates, "means": list(MEANS)}
