"""`growth`: rank cases, train, evaluate and inspect model versions, list skills, serve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from recommender.catalogue.instrument_commands import instruments_app
from recommender.command_options import JsonOption, ModelsOption, VersionOption
from recommender.console import EXIT_ALL_USED, EXIT_NOTHING_USABLE, EXIT_SOME_REJECTED, err, out, say, stop
from recommender.errors import GrowthError
from recommender.exchange.import_commands import import_scores
from recommender.exchange.need_commands import InstrumentsOption, NormsOption, needs, norms_app
from recommender.learning.audit_commands import audit
from recommender.learning.study_commands import study_app
from recommender.learning.version_commands import (
    models_command,
    promote_command,
    retrain_command,
    rollback_command,
    train_command,
)
from recommender.learning.watch_commands import watch_command
from recommender.ranking.versions import DEFAULT_MODELS
from recommender.training.data_commands import data_app

app = typer.Typer(
    help="From a teacher's own words to a short ranked list of narrow teaching skills.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(data_app, name="data")
app.add_typer(instruments_app, name="instruments")
app.command("import")(import_scores)
app.command("needs")(needs)
app.add_typer(norms_app, name="norms")
app.command("train")(train_command)
app.command("retrain")(retrain_command)
app.command("promote")(promote_command)
app.command("rollback")(rollback_command)
app.command("models")(models_command)
app.command("watch")(watch_command)
app.command("audit")(audit)
app.add_typer(study_app, name="study")


@app.command()
def rank(
    cases: Annotated[str, typer.Argument(help="Cases: .jsonl, .csv or .parquet; - reads JSON Lines from standard in.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Rankings: .jsonl, .csv or .parquet; - writes here.")],
    top: Annotated[int | None, typer.Option(min=1, max=115, help="Suggestions per case; beats the case's own.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; default: one per core for long files.")] = None,
    contact: Annotated[
        str | None,
        typer.Option(envvar="GROWTH_SAFEGUARDING_CONTACT", help="Whom a safeguarding message names."),
    ] = None,
    observations: Annotated[
        Path | None, typer.Option("--observations", help="Observation scores, .csv or .parquet, joined by teacher_id.")
    ] = None,
    norms: NormsOption = None,
    instrument: InstrumentsOption = None,
    models: ModelsOption = DEFAULT_MODELS,
    version: VersionOption = None,
) -> None:
    """Rank every case of a file. A bad row goes to <output>.rejects.jsonl and never costs the good ones.

    Exit code 0: all ranked; 3: some rows rejected; 2: nothing usable.
    """
    from recommender.exchange.rank_file import rank_file
    from recommender.observations.norms import Norms
    from recommender.ranking.batch import RankingJob

    try:
        known = Norms.load(norms) if norms is not None else None
        job = RankingJob(models, version, contact, top, tuple(instrument or ()), known)
        counts = rank_file(cases, output, job, err, jobs, observations=observations)
    except GrowthError as error:
        stop(error)
    if counts.answered == 0:
        raise typer.Exit(EXIT_NOTHING_USABLE)
    raise typer.Exit(EXIT_SOME_REJECTED if counts.rejected else EXIT_ALL_USED)


@app.command()
def skills(
    skill_id: Annotated[str | None, typer.Argument(help="Show one skill in full.")] = None,
    domain: Annotated[str | None, typer.Option(help="Only the skills of one domain.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the catalogue, or show one skill with its look-fors and practice cycle."""
    from recommender.catalogue.loader import load_catalogue

    catalogue = load_catalogue()
    if skill_id is not None and skill_id not in catalogue:
        stop(GrowthError(f"{skill_id!r}", wanted="the id of a skill", way_out="`growth skills` lists them."))
    if domain is not None and domain not in catalogue.domains:
        stop(GrowthError(f"{domain!r}", wanted="one of " + ", ".join(catalogue.domains)))
    if skill_id is not None:
        out.print_json(catalogue[skill_id].model_dump_json(by_alias=True))
        return
    chosen = [skill for skill in catalogue if domain in (None, skill.domain)]
    if as_json:
        out.print_json(json.dumps([skill.model_dump(by_alias=True) for skill in chosen], ensure_ascii=False))
        return
    table = Table("skill", "name", "minutes a week", "evidence", title=f"{len(chosen)} skills")
    for skill in chosen:
        table.add_row(skill.id, skill.name, str(skill.minutes_per_week), skill.evidence.level)
    out.print(table)


@app.command()
def evaluate(
    data: Annotated[Path | None, typer.Argument(help="Labelled rows (JSON Lines); default: the dev struggles.")] = None,
    cross_validated: Annotated[
        bool, typer.Option("--cross-validated", help="Out-of-fold figures on the real training struggles.")
    ] = False,
    screening: Annotated[bool, typer.Option("--screening", help="Screening figures instead of ranking.")] = False,
    observations: Annotated[
        bool, typer.Option("--observations", help="Needs and fusion on simulated teachers, next to the baselines.")
    ] = False,
    holdout_visit: Annotated[
        Path | None,
        typer.Option("--holdout-visit", help="Observation scores: needs against a held-back visit by other observers."),
    ] = None,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Quality by number of real struggles, frozen encoder (minutes).")
    ] = False,
    data_growth: Annotated[
        bool, typer.Option("--data-growth", help="The encoder trained with the grown data beside the one without it.")
    ] = False,
    instrument: InstrumentsOption = None,
    baselines: Annotated[bool, typer.Option(help="Also fit and score the baselines (minutes).")] = True,
    output: Annotated[Path | None, typer.Option(help="Folder for per-request values and the reliability plot.")] = None,
    models: ModelsOption = DEFAULT_MODELS,
    version: VersionOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a model version: ranking, screening, calibration, needs and fusion, with baselines and 95% intervals."""
    from recommender.training.evaluate import EvaluationRequest, print_report, report_for

    request = EvaluationRequest(
        models,
        version,
        data,
        cross_validated,
        screening,
        baselines,
        output,
        observations=observations,
        holdout_visit=holdout_visit,
        learning_curve=learning_curve,
        data_growth=data_growth,
        instrument_files=tuple(instrument or ()),
    )
    try:
        report = report_for(request, say=say)
    except GrowthError as error:
        stop(error)
    if as_json:
        out.print_json(json.dumps(report, ensure_ascii=False))
    else:
        print_report(report, out)


@app.command()
def simulate(
    output: Annotated[Path, typer.Option("--output", "-o", help="Score table, .csv or .parquet; made-up people.")],
    teachers: Annotated[int, typer.Option(min=1, max=100_000)] = 700,
    tenants: Annotated[int, typer.Option(min=1, max=1_000)] = 8,
    visits: Annotated[int, typer.Option(min=1, max=20)] = 2,
    raters: Annotated[int, typer.Option(min=1, max=4, help="Raters a visit.")] = 2,
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Write simulated observation scores, for trying needs, norms and the held-back visit."""
    from recommender.exchange.score_files import check_score_output, row_hashes, write_scores
    from recommender.observations.scores import SOURCE_ROW_HASH
    from recommender.training.simulate.study import simulate_study

    try:
        check_score_output(output)
        scores = simulate_study(teachers=teachers, tenants=tenants, visits=visits, raters_per_visit=raters, seed=seed)
        write_scores(scores.assign(**{SOURCE_ROW_HASH: row_hashes(scores)}), output)
    except GrowthError as error:
        stop(error)
    err.print(f"{len(scores):,} simulated scores", highlight=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; default 8000.")] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Fill an empty database with a made-up school; print links.")
    ] = False,
) -> None:
    """Start the pages and the API on the configured database."""
    from service.run import run as run_service
    from service.settings import read_settings

    given = {key: value for key, value in {"host": host, "port": port}.items() if value is not None}
    try:
        run_service(read_settings(**given), demo=demo)
    except GrowthError as error:
        stop(error)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    help="Tenants, people, links, keys and care of the store: `growth admin --help`.",
)
def admin(context: typer.Context) -> None:
    """Hand everything on to the store's own commands, which only then are loaded."""
    from service.store.admin_commands import admin_app

    admin_app(args=context.args, prog_name="growth admin")


@app.command()
def doctor(models: ModelsOption = DEFAULT_MODELS, version: VersionOption = None, as_json: JsonOption = False) -> None:
    """Print versions, threads, model and settings, and rank one case to see that all is well."""
    from recommender.doctor import examine

    try:
        findings = examine(models, version)
    except GrowthError as error:
        stop(error)
    if as_json:
        out.print_json(json.dumps(findings))
        return
    for title, entries in findings.items():
        table = Table(title=title, show_header=False, title_justify="left")
        for key, value in entries.items():
            table.add_row(key, str(value))
        out.print(table)


@app.command()
def schema(what: Annotated[str, typer.Argument(help="case or ranking.")] = "case") -> None:
    """Print the JSON Schema of a case or of a ranking."""
    from recommender.cases import Case, Contract, Ranking

    contracts: dict[str, type[Contract]] = {"case": Case, "ranking": Ranking}
    if what not in contracts:
        stop(GrowthError(f"{what!r}", wanted="case or ranking"))
    mode: Literal["validation", "serialization"] = "validation" if what == "case" else "serialization"
    out.print_json(json.dumps(contracts[what].model_json_schema(mode=mode)))


if __name__ == "__main__":
    app()
