"""The README cannot rot: commands, settings, routes, the example and the figures are compared with the real thing."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from recommender.cli import app
from recommender.ranking.versions import DEFAULT_MODELS, current_version, read_manifest
from recommender.training.card_use import power_table, use_table
from recommender.training.figure_names import AUDIT, USE
from recommender.training.report import interval
from service.access.roles import page_routes
from service.app import create_app
from service.settings import Settings, settings_table

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def code_blocks() -> list[str]:
    return re.findall(r"```\w*\n(.*?)```", README, flags=re.DOTALL)


def test_every_command_is_documented() -> None:
    for name in get_command(app).commands:  # type: ignore[attr-defined]
        assert f"`growth {name}" in README, name


def test_every_setting_is_documented_as_it_is() -> None:
    for variable, default, description in settings_table():
        assert f"| `{variable}` | {f'`{default}`' if default else ''} | {description} |" in README, variable


def test_every_route_is_documented() -> None:
    schema = create_app(Settings()).openapi()
    for path, methods in schema["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in README, (method, path)


def test_every_page_is_documented() -> None:
    for method, route in page_routes(create_app(Settings()).routes):
        assert f"`{method} {route.path}`" in README, (method, route.path)


def test_the_example_prints_what_the_readme_shows(tmp_path: Path) -> None:
    block = next(block for block in code_blocks() if "cat case.jsonl" in block)
    shown = re.search(r"^\$ cat case\.jsonl\n(\{.*\})\n\$ growth rank .*?\n(\{.*\})\n", block, flags=re.DOTALL)
    assert shown is not None
    # The case to the letter, so that pasting it works; the output as json.tool prints it.
    assert "\n" not in shown[1]
    output = json.loads(shown[2])
    (tmp_path / "case.jsonl").write_text(shown[1] + "\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["rank", str(tmp_path / "case.jsonl"), "--output", str(tmp_path / "out.jsonl")])
    assert result.exit_code == 0
    assert json.loads((tmp_path / "out.jsonl").read_text()) == output


def test_the_figures_are_those_of_the_current_version() -> None:
    figures = read_manifest(DEFAULT_MODELS, current_version(DEFAULT_MODELS)).figures
    for part in ("development", "cross-validation"):
        for name, values in figures[part]["figures"].items():
            assert f"| {name} | " + " | ".join(interval(values[f]) for f in ("nDCG@5", "hit@1", "hit@3")) in README, (
                name
            )


def test_the_figures_on_learning_from_use_are_those_of_the_current_version() -> None:
    figures = read_manifest(DEFAULT_MODELS, current_version(DEFAULT_MODELS)).figures
    use, verdicts = figures[USE], figures[AUDIT]["verdicts"]
    assert use_table(use["reviews"]) in README
    assert power_table(use["gates"]) in README
    told = " ".join(README.split())
    assert f"{use['off-policy']['within']} of {use['off-policy']['judged']} coverages" in told
    for part in ("gain", "worth of outcomes"):
        assert interval(use["reviews"]["choices"][part], signed=True) in told, part
    gains = {arm["way"]: interval(arm["gain"], signed=True) for arm in use["texts"] if arm["texts"] > 500}
    for way in ("reviewed", "not reviewed", "labelled in full"):
        assert gains[way] in told, way
    shares = {row["window"]: interval(row["shares"][1]) for row in use["drift"]["rows"]}
    for window in ("lists: nothing changed", "lists: 1 in 10 in another language"):
        assert shares[window] in told, window
    assert (
        f"{verdicts['within']} figures within their thresholds, {verdicts['open']} open and {verdicts['beyond']} beyond"
        in told
    )


def test_every_study_is_documented() -> None:
    study = get_command(app).commands["study"]  # type: ignore[attr-defined]
    line = next(line for line in README.splitlines() if line.startswith("| `growth study reviews`"))
    other = next(line for line in README.splitlines() if line.startswith("| `growth study evidence"))
    for name in study.commands:
        assert f"`{name}`" in line or f"study {name}" in line or f"`growth study {name}" in other, name
