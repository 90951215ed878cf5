"""The audit told: tables for a person, `audit.md`, plots, and the files they are written to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from recommender.exchange.file_formats import whole_file
from recommender.learning.audit_findings import Finding, Part, audit_words
from recommender.learning.audit_gaps import GroupRate
from recommender.learning.audit_groups import GroupAudit
from recommender.learning.audit_parameters import load_audit_parameters
from recommender.learning.audit_plot import findings_svg
from recommender.learning.audit_report import PARTS, AuditReport
from recommender.training.report import interval

REPORT_FILE, DATA_FILE = "audit.md", "audit.json"
_COLUMNS = ("about", "measure", "figure [95% interval]", "effect", "control", "n", "threshold", "verdict")


def print_audit(report: AuditReport, console: Console) -> None:
    """The report as tables for a person, then what is beyond its threshold in sentences."""
    words = audit_words()
    for part in PARTS:
        findings = report.of(part)
        if not findings:
            continue
        table = Table(title=words.parts[part].title, title_justify="left")
        for column in _COLUMNS:
            table.add_column(column)
        for finding in findings:
            table.add_row(*_cells(finding))
        console.print(table)
    for line in _summary(report):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def write_audit(report: AuditReport, folder: Path) -> list[Path]:
    """Write ``audit.md``, ``audit.json`` and one plot a part; the files written, in that order.

    The same report gives the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    words = audit_words()
    contents = {
        REPORT_FILE: audit_markdown(report),
        DATA_FILE: json.dumps(report.as_data(), ensure_ascii=False, indent=2) + "\n",
    }
    for part in PARTS:
        if report.of(part):
            contents[plot_file(part)] = findings_svg(report.of(part), words.parts[part].plot)
    for name, content in contents.items():
        with whole_file(folder / name) as stream:
            stream.write(content.encode())
    return [folder / name for name in contents]


def plot_file(part: Part) -> str:
    """Name of a part's plot."""
    return f"audit_{part}.svg"


def audit_markdown(report: AuditReport) -> str:
    """The report as Markdown."""
    words = audit_words()
    lines = [f"# {words.title.format(version=report.version)}", "", words.intro.strip(), ""]
    lines += ["## Summary", "", *(f"- {line}" for line in _summary(report)), ""]
    for part in PARTS:
        findings = report.of(part)
        if not findings:
            continue
        note = words.parts[part].note.format(smallest=load_audit_parameters().groups.smallest.value).strip()
        lines += [f"## {words.parts[part].title}", "", note, "", f"![{words.parts[part].plot}]({plot_file(part)})", ""]
        lines += _markdown_table(_COLUMNS, [_cells(finding) for finding in findings])
        if part == "swaps":
            lines += [
                "Texts: {} development, {} training struggles. Words that differ, swap and control:".format(
                    *report.texts
                )
            ]
            lines += ["", *(f"- {name}: {a:.1f} and {b:.1f}" for name, (a, b) in report.sizes.items()), ""]
        if part == "groups" and report.groups is not None:
            lines += _group_lines(report.groups)
    return "\n".join(lines).rstrip() + "\n"


def _cells(finding: Finding) -> list[str]:
    data = finding.as_data()
    measure = finding.measure.replace("_", " ")
    sign = "most" if finding.most else "least"
    return [
        finding.about,
        f"{measure} ({finding.detail})" if finding.detail else measure,
        interval(data["figure"], signed=finding.part == "swaps"),
        f"{finding.effect.mean:.3f}" if finding.effect else "-",
        f"{finding.control.mean:.3f}" if finding.control else "-",
        str(finding.figure.n),
        f"at {sign} {finding.margin:.2f}",
        finding.verdict,
    ]


def _markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    cells = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (columns, *rows)]
    return [cells[0], "|" + "---|" * len(columns), *cells[1:], ""]


def _summary(report: AuditReport) -> Iterator[str]:
    """Counts of the verdicts by part, then every finding beyond its threshold."""
    for part in PARTS:
        verdicts = [finding.verdict for finding in report.of(part)]
        if verdicts:
            counted = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("within", "open", "beyond"))
            yield f"{audit_words().parts[part].title}: {counted}."
    alone = [one.control.mean for one in report.of("swaps") if one.control and one.measure == "top_1_changed"]
    if alone:
        yield audit_words().control_sentence.format(least=min(alone), most=max(alone))
    for finding in report.findings:
        if finding.verdict == "beyond":
            yield finding.sentence


def _group_lines(groups: GroupAudit) -> Iterator[str]:
    counts = groups.counts
    yield (
        f"{counts.lists:,} lists; {counts.without_attributes:,} of teachers without an attribute, "
        f"{counts.of_two_tenants:,} more left out because their teacher's pseudonym stands in two tenants; "
        f"{counts.unknown_teachers:,} teachers of the attribute file unknown here; "
        f"{counts.refused_rows:,} of its rows refused."
    )
    yield ""
    for attribute, measures in groups.rates.items():
        rows = [
            [attribute, measure.replace("_", " "), subject or "-", group, _rate_text(rate), str(rate.teachers)]
            for measure, subjects in measures.items()
            if measure != "skill_exposure"
            for subject, rates in subjects.items()
            for group, rate in rates.items()
        ]
        yield from _markdown_table(("attribute", "measure", "of", "group", "rate [95% interval]", "teachers"), rows)
        hidden = groups.hidden.get(attribute, {})
        if hidden:
            said = "; ".join(f"{measure.replace('_', ' ')} {count}" for measure, count in hidden.items())
            yield f"Groups of {attribute} too small to be shown, by measure: {said}."
            yield ""


def _rate_text(rate: GroupRate) -> str:
    found = rate.interval()
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"
