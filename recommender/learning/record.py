"""Records a version's figures on learning from use, its audit and its reference profile, in its folder."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from recommender.errors import DataFileError, ModelVersionError
from recommender.learning.audit_findings import audit_words
from recommender.learning.drift_report import ALL, drift_report
from recommender.learning.gate_report import power_report
from recommender.learning.gate_study import DROP, NEARLY_SAME
from recommender.learning.learning_report import learning_report
from recommender.learning.learning_study import BEST, CORRECTED, NAIVE, SHRUNK_NAIVE, UNCAPPED, UNTOUCHED
from recommender.learning.off_policy_report import off_policy_report
from recommender.learning.reference_profile import PROFILE_FILE, make_profile
from recommender.learning.retrain import LEARNED_FROM
from recommender.learning.text_report import text_report
from recommender.ranking.versions import current_version, open_version, sha256_of
from recommender.training.encoder_record import EncoderRecord
from recommender.training.figure_names import AUDIT, USE
from recommender.training.intervals import wilson
from recommender.training.report import as_data
from recommender.training.restate import restate
from recommender.training.simulate.reviewing_parameters import REVIEWING_FILE

Say = Callable[[str], None]

_HERE = Path(__file__).parent
# What the figures hang on beside the version: another edit of these asks for another recording.
PARAMETER_FILES = (
    *(_HERE / name for name in ("learning.yaml", "gates.yaml", "off_policy.yaml", "drift.yaml")),
    REVIEWING_FILE,
)


def record_use(models: Path, say: Say = lambda _: None) -> None:
    """Run every study of learning from use on the version that answers and record its figures; about ten minutes.

    Raises ModelVersionError for a version that itself learned from use: its card has its gates.
    """
    figures = use_figures(
        learning_report(models, say=say),
        text_report(say=say),
        power_report(models, say),
        off_policy_report(say=say),
        drift_report(models, say=say),
    )
    _record(models, USE, figures | {"parameters": parameter_hashes()})


def use_figures(
    reviews: Mapping[str, Any],
    texts: Mapping[str, Any],
    gates: Mapping[str, Any],
    off_policy: Mapping[str, Any],
    drift: Mapping[str, Any],
) -> dict[str, Any]:
    """What a card tells of the five studies, from their reports."""
    return {
        "reviews": _reviews(reviews),
        "texts": _texts(texts),
        "gates": _gates(gates),
        "off-policy": _off_policy(off_policy),
        "drift": _drift(drift),
    }


def read_audit(file: Path) -> dict[str, Any]:
    """An audit.json that ``growth audit --output`` wrote. Raises DataFileError for another file."""
    try:
        audit = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        audit = None
    if not isinstance(audit, dict) or not {"version", "texts", "findings"} <= audit.keys():
        raise DataFileError("no audit", wanted="audit.json of `growth audit --output`", where=file.name)
    return audit


def record_audit(models: Path, audit: Mapping[str, Any]) -> None:
    """Record an audit's data (``AuditReport.as_data``); groups of teachers are people and stay out of it.

    Raises ModelVersionError as ``record_use`` does, and for another version than the one that answers.
    """
    name = current_version(models)
    if audit["version"] != name:
        raise ModelVersionError(f"an audit of {audit['version']}", wanted=f"one of {name}", where="audit")
    measures, kept = audit_words().measures, ("figure", "margin", "at", "verdict")
    findings = [
        {"what": measures[finding["measure"]].format(about=finding["about"], detail=finding["detail"])}
        | {key: finding[key] for key in kept}
        for finding in audit["findings"]
        if finding["part"] != "groups"
    ]
    verdicts = Counter(finding["verdict"] for finding in findings)
    figures = {
        "texts": audit["texts"],
        "verdicts": {verdict: verdicts[verdict] for verdict in ("within", "open", "beyond")},
        "findings": findings,
    }
    _record(models, AUDIT, figures)


def parameter_hashes() -> dict[str, str]:
    """SHA-256 by name of the files the figures hang on."""
    return {file.name: sha256_of(file) for file in PARAMETER_FILES}


def _record(models: Path, part: str, figures: Mapping[str, Any]) -> None:
    manifest, folder, encoder_folder = open_version(models)
    if LEARNED_FROM in manifest.settings:
        raise ModelVersionError(
            f"{manifest.version}, which learned from use", wanted="a trained version", where="growth study record"
        )
    # A version that carries what `growth watch` compares use with can be watched when training data have changed.
    make_profile(folder, encoder_folder).save(folder)
    files = {**manifest.files, PROFILE_FILE: sha256_of(folder / PROFILE_FILE)}
    with_profile = manifest.model_copy(update={"files": files})
    restate(folder, with_profile, {**manifest.figures, part: figures}, EncoderRecord.load(encoder_folder))


def _reviews(report: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "seeds": len(report["seeds"]),
        "beside": report["beside"],
        "best": report[BEST]["gain"],
        "curve": [
            {
                "reviews": point["reviews"],
                "corrected": point[CORRECTED]["gain"],
                "counted": point[NAIVE]["gain"],
                "counted and shrunk": point[SHRUNK_NAIVE]["gain"],
                "untouched": point["by part"][UNTOUCHED],
            }
            for point in report["curve"]
        ],
        "choices": {
            "lists": report["choices"]["lists"],
            "gain": report["choices"][CORRECTED],
            "worth of outcomes": report["choices"]["worth of outcomes"],
        },
        "attacks": [
            {
                "name": attack["name"],
                "corrected": attack[CORRECTED],
                "without caps": attack[UNCAPPED],
                "flagged": attack["seeds flagged"],
            }
            for attack in report["attacks"]
        ],
    }


def _texts(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "way": arm["way"],
            "texts": arm["texts taught"],
            "nDCG@5": arm["figures"]["nDCG@5"],
            "gain": arm["more than corpus alone"]["nDCG@5"],
        }
        for arm in report["arms"]
    ]


def _gates(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    nearly_same = report["nearly same"]
    gain = f"better by {nearly_same['true difference']:.3f} in mean ({NEARLY_SAME})"
    rows = (
        (f"worse by {DROP}", "refuse", report["worse refused"]),
        (f"better by {DROP} or more", "pass", report["better passed"]),
        (gain, "pass", nearly_same["passed"]),
        (f"{gain}, other labellers", "pass", nearly_same["passed, labellers"]),
    )
    return [{"version": name, "decision": decision, "share": share} for name, decision, share in rows]


def _off_policy(report: Mapping[str, Any]) -> dict[str, Any]:
    return {"logs": report["logs"], **report["coverages"]}


def _drift(report: Mapping[str, Any]) -> dict[str, Any]:
    sizes = list(dict.fromkeys(row["lists"] for row in report["rows"]))
    rows = []
    for part, names in (("rows", "lists"), ("reviews", "reviewed lists")):
        for shift in dict.fromkeys(row["shift"] for row in report[part]):
            here = [row for row in report[part] if row["shift"] == shift]
            window = f"{names}: {'nothing changed' if shift == 'none' else shift}"
            shares = [as_data(wilson(_any(row), row["splits"])) for row in here]
            rows.append({"window": window, "shares": shares})
    return {"lists": sizes, "rows": rows}


def _any(row: Mapping[str, Any]) -> int:
    return int(row["alarms"].get(ALL, 0))
