"""The watch: a window of use beside a version's reference profile, check by check, and what could not be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from recommender.catalogue.loader import load_catalogue
from recommender.learning.calibration_drift import calibration_findings, reviewed_skills
from recommender.learning.drift import DriftFinding, QuietThresholds, drift_findings
from recommender.learning.drift_parameters import DriftParameters, load_drift_parameters
from recommender.learning.evidence import Evidence
from recommender.learning.parameters import load_learning_parameters
from recommender.learning.reference_profile import ReferenceProfile, profile_of
from recommender.learning.watched import LEFT_OUT, Window, WordPieces
from recommender.ranking.versions import ENCODERS_FOLDER, read_manifest

Say = Callable[[str], None]


@dataclass(frozen=True)
class WatchReport:
    """All checks of one window. ``lists`` of ``teachers`` were watched, ``reviews`` told of calibration.

    ``since`` and ``until``: the first and last list of the evidence, None where there is none. ``left_out``: sentences
    on what could not be watched.
    """

    model_version: str
    lists: int
    teachers: int
    reviews: int
    since: datetime | None
    until: datetime | None
    findings: tuple[DriftFinding, ...]
    left_out: tuple[str, ...]

    @property
    def drifted(self) -> bool:
        """Whether any check passed its threshold."""
        return any(finding.drifted for finding in self.findings)

    @property
    def checked(self) -> bool:
        """Whether any check could be made."""
        return any(finding.threshold is not None for finding in self.findings)

    def as_data(self) -> dict[str, Any]:
        """The report as plain data for a program."""
        data = asdict(self) | {"drifted": self.drifted, "checked": self.checked}
        return data | {name: None if data[name] is None else data[name].isoformat() for name in ("since", "until")}


def watch(
    evidence: Evidence,
    profile: ReferenceProfile,
    pieces: WordPieces | None = None,
    parameters: DriftParameters | None = None,
) -> WatchReport:
    """Check a window of use for drift from a profile; the same evidence gives the same report.

    Watched are lists of the profile's version that were made of words alone, the first of each case; see ``Window``.
    ``pieces`` None leaves unknown words unchecked. Each check alone raises a false alarm in one quiet window of 500;
    ``drift_report`` measures that, and how often one of all of them does.
    """
    parameters = parameters or load_drift_parameters()
    catalogue = load_catalogue()
    window = Window.of(evidence.rows, profile.model_version, catalogue, pieces)
    findings = drift_findings(window.lists, profile, QuietThresholds(profile, parameters))
    reviewed = reviewed_skills(window.reviewed, catalogue, load_learning_parameters())
    findings += calibration_findings(reviewed, profile, parameters)
    told = [parameters.left_out[name].format(n=n) for name in LEFT_OUT if (n := window.left_out.get(name, 0))]
    times = [row.shown_at for row in evidence.rows]
    return WatchReport(
        profile.model_version,
        len(window.lists),
        window.teachers,
        len(window.reviewed),
        min(times, default=None),
        max(times, default=None),
        tuple(findings),
        tuple(told),
    )


def watch_version(models: Path, version: str | None, evidence: Evidence, say: Say = lambda _: None) -> WatchReport:
    """``watch`` against the profile of a version; one that carries none gets it from the training data, in seconds.

    Raises ModelVersionError.
    """
    profile, made = profile_of(models, version)
    if made:
        say(f"{profile.model_version} carries no profile: made from the training data.")
    encoder = read_manifest(models, profile.model_version).encoder.folder
    return watch(evidence, profile, WordPieces(models / ENCODERS_FOLDER / encoder))


def print_watch(report: WatchReport, console: Console) -> None:
    """The report for a person: a table of the checks, what drifted, what was left out."""
    when = f", {report.since:%Y-%m-%d} to {report.until:%Y-%m-%d}" if report.since and report.until else ""
    table = Table("check", "", "n", "value", "threshold", "", title_justify="left")
    table.title = f"{report.model_version}: {report.lists} lists of {report.teachers} teachers{when}"
    for finding in report.findings:
        table.add_row(
            finding.name.replace("_", " "), finding.statistic, f"{finding.n:,}",
            _figure(finding.value), _figure(finding.threshold), _verdict(finding),
        )  # fmt: skip
    console.print(table)
    for sentence in dict.fromkeys(finding.sentence for finding in report.findings if finding.drifted):
        console.print(sentence, highlight=False, markup=False)
    if report.left_out:
        console.print("Left out: " + "; ".join(report.left_out) + ".", highlight=False, markup=False)
    if not report.checked:
        console.print("Nothing could be checked.", highlight=False)
    elif not report.drifted:
        console.print("No drift found.", highlight=False)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _verdict(finding: DriftFinding) -> str:
    return "too few" if finding.threshold is None else "drifted" if finding.drifted else "quiet"
