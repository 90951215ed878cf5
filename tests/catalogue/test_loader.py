from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError

LONG_ENOUGH = "A sentence that is long enough to be one."


def skill(skill_id: str, **changes: Any) -> dict[str, Any]:
    """A skill that breaks no rule; every skill but ``a`` names ``a`` as its neighbour, and ``a`` names ``b``."""
    other = "b" if skill_id == "a" else "a"
    return {
        "id": skill_id,
        "name": f"Skill {skill_id}",
        "definition": LONG_ENOUGH,
        "not_this": LONG_ENOUGH,
        "neighbours": [{"skill": other, "line": "The line between the two."}],
        "summary": LONG_ENOUGH,
        "look_fors": [LONG_ENOUGH, LONG_ENOUGH],
        "first_step": LONG_ENOUGH,
        "practice_cycle": [LONG_ENOUGH] * 4,
        "minutes_per_week": 30,
        "prerequisites": [],
        "grade_bands": ["elementary", "middle", "high"],
        "subjects": ["any"],
        "evidence": {"source": "Somebody (2020)", "level": "moderate"},
        "crosswalk": {"hlp": ["7"], "teach": [], "danielson": ["2d"], "class": []},
    } | changes


def write(folder: Path, domain: str, *skills: Any, **changes: Any) -> None:
    document = {"domain": domain, "title": domain.title(), "skills": list(skills)} | changes
    (folder / f"{domain}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")


def refusal(folder: Path) -> DataFileError:
    with pytest.raises(DataFileError) as caught:
        load_catalogue(folder)
    return caught.value


# What is read


def test_skills_stand_by_file_name_and_then_as_written(tmp_path):
    write(tmp_path, "routines", skill("b"), skill("a"))
    write(tmp_path, "checking", skill("z"), skill("c"))
    catalogue = load_catalogue(tmp_path)
    assert catalogue.ids == ("z", "c", "b", "a")
    assert catalogue.domains == ("checking", "routines")
    assert [catalogue.index[each.id] for each in catalogue] == [0, 1, 2, 3]
    assert (len(catalogue), catalogue["c"].domain, catalogue["c"].domain_title) == (4, "checking", "Checking")
    assert "c" in catalogue
    assert "d" not in catalogue


def test_neighbours_are_neighbours_whichever_of_the_two_says_so(tmp_path):
    write(tmp_path, "routines", skill("a"), skill("b"), skill("c"))
    catalogue = load_catalogue(tmp_path)
    assert catalogue.are_neighbours("a", "c")
    assert catalogue.are_neighbours("c", "a")
    assert not catalogue.are_neighbours("b", "c")
    assert not catalogue.are_neighbours("a", "a")
    assert catalogue.neighbour_pairs == {frozenset("ab"), frozenset("ac")}


def test_prerequisites_may_join_again_as_long_as_they_end(tmp_path):
    write(
        tmp_path,
        "routines",
        skill("d", prerequisites=["b", "c"]),
        skill("c", prerequisites=["a"]),
        skill("b", prerequisites=["a"]),
        skill("a"),
    )
    assert len(load_catalogue(tmp_path)) == 4


# The version


def version_of(folder: Path, domain: str = "routines", **changes: Any) -> str:
    folder.mkdir()
    write(folder, domain, skill("a", **changes), skill("b"))
    return load_catalogue(folder).version


def test_the_version_is_the_same_for_the_same_content(tmp_path):
    first, second = version_of(tmp_path / "one"), version_of(tmp_path / "two")
    assert first == second
    assert len(first) == 12
    assert set(first) <= set("0123456789abcdef")


def test_the_version_changes_with_content_and_with_a_files_name(tmp_path):
    versions = {
        version_of(tmp_path / "one"),
        version_of(tmp_path / "two", minutes_per_week=31),
        version_of(tmp_path / "three", summary=LONG_ENOUGH + " "),
        version_of(tmp_path / "four", domain="checking"),
    }
    assert len(versions) == 4


def test_the_version_changes_with_another_file(tmp_path):
    before = version_of(tmp_path / "one")
    version_of(tmp_path / "two")
    write(tmp_path / "two", "checking", skill("c"))
    load_catalogue.cache_clear()
    assert load_catalogue(tmp_path / "two").version != before


# A broken field is refused with file, skill and field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "abc"}, "name"),
        ({"name": 5}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"definition": "Too short."}, "definition"),
        ({"definition": "x" * 401}, "definition"),
        ({"not_this": None}, "not_this"),
        ({"neighbours": []}, "neighbours"),
        ({"neighbours": [{"skill": "a", "line": "The line between the two."}] * 7}, "neighbours"),
        ({"neighbours": [{"skill": "a", "line": "Short."}]}, "neighbours.0.line"),
        ({"neighbours": [{"skill": "a"}]}, "neighbours.0.line"),
        ({"neighbours": ["a"]}, "neighbours.0"),
        ({"neighbours": [{"skill": "No Slug", "line": "The line between the two."}]}, "neighbours.0.skill"),
        ({"summary": " " * 20}, "summary"),
        ({"look_fors": [LONG_ENOUGH]}, "look_fors"),
        ({"look_fors": [LONG_ENOUGH] * 5}, "look_fors"),
        ({"look_fors": [LONG_ENOUGH, "Short."]}, "look_fors.1"),
        ({"first_step": ["a", "list"]}, "first_step"),
        ({"practice_cycle": [LONG_ENOUGH] * 3}, "practice_cycle"),
        ({"practice_cycle": [LONG_ENOUGH] * 5}, "practice_cycle"),
        ({"minutes_per_week": 9}, "minutes_per_week"),
        ({"minutes_per_week": 121}, "minutes_per_week"),
        ({"minutes_per_week": "30"}, "minutes_per_week"),
        ({"minutes_per_week": True}, "minutes_per_week"),
        ({"prerequisites": ["a", "b", "c", "d"]}, "prerequisites"),
        ({"grade_bands": []}, "grade_bands"),
        ({"grade_bands": ["college"]}, "grade_bands.0"),
        ({"subjects": []}, "subjects"),
        ({"subjects": ["any", "maths"]}, "subjects.1"),
        ({"evidence": {"source": "Somebody (2020)", "level": "certain"}}, "evidence.level"),
        ({"evidence": {"source": "x", "level": "strong"}}, "evidence.source"),
        ({"crosswalk": {"hlp": [], "teach": [], "danielson": []}}, "crosswalk.class"),
        ({"crosswalk": {"hlp": [7], "teach": [], "danielson": [], "class": []}}, "crosswalk.hlp.0"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named_with_its_file_and_skill(tmp_path, changes, field):
    write(tmp_path, "routines", skill("a"), skill("b", **changes))
    assert refusal(tmp_path).where == f"routines.yaml: b: {field}"


@pytest.mark.parametrize("field", ["name", "neighbours", "minutes_per_week", "evidence", "crosswalk"])
def test_a_missing_field_is_named(tmp_path, field):
    broken = skill("b")
    del broken[field]
    write(tmp_path, "routines", skill("a"), broken)
    error = refusal(tmp_path)
    assert (error.where, error.wanted) == (f"routines.yaml: b: {field}", "field required")


@pytest.mark.parametrize("skill_id", ["Upper", "two words", "-edge", "edge-", "two--dashes", "ünïcode", "", "x" * 61])
def test_an_id_that_is_no_slug_is_refused(tmp_path, skill_id):
    write(tmp_path, "routines", skill("a"), skill("b") | {"id": skill_id})
    assert refusal(tmp_path).where == f"routines.yaml: {skill_id}: id"


def test_a_skill_without_an_id_is_named_by_a_question_mark(tmp_path):
    nameless = skill("b")
    del nameless["id"]
    write(tmp_path, "routines", skill("a"), nameless)
    assert refusal(tmp_path).where == "routines.yaml: ?: id"


@pytest.mark.parametrize("entry", ["a skill", None, 5, ["id", "a"]])
def test_a_skill_that_is_no_mapping_is_refused_with_its_file(tmp_path, entry):
    write(tmp_path, "routines", skill("a"), entry)
    assert refusal(tmp_path).where.startswith("routines.yaml: ?")


# A broken file is refused by name


def test_a_folder_without_skill_files_is_refused(tmp_path):
    assert refusal(tmp_path).found == "no skill files"


@pytest.mark.parametrize("content", [b"domain: [", b"a: b: c", b"\tdomain: x", b"domain: \xff", b"skills: *nobody"])
def test_broken_yaml_is_refused_with_its_file(tmp_path, content):
    write(tmp_path, "checking", skill("a"), skill("b"))
    (tmp_path / "routines.yaml").write_bytes(content)
    error = refusal(tmp_path)
    assert error.where == "routines.yaml"
    assert error.wanted == "YAML"


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", b"just words", b"domain: routines\ntitle: Routines\n"])
def test_a_file_that_is_no_domain_is_refused(tmp_path, content):
    (tmp_path / "routines.yaml").write_bytes(content)
    error = refusal(tmp_path)
    assert (error.where, error.wanted) == ("routines.yaml", "domain, title and skills")


def test_a_top_level_key_nobody_knows_is_refused(tmp_path):
    write(tmp_path, "routines", skill("a"), skill("b"), colour="red")
    assert refusal(tmp_path).where == "routines.yaml"


def test_a_domain_that_is_not_the_files_name_is_refused(tmp_path):
    write(tmp_path, "checking", skill("a"), skill("b"))
    (tmp_path / "checking.yaml").rename(tmp_path / "routines.yaml")
    error = refusal(tmp_path)
    assert (error.where, error.found) == ("routines.yaml", "domain 'checking'")


@pytest.mark.parametrize("skills", [None, 5, "a skill", {"a": "skill"}, True])
def test_skills_that_are_no_list_are_refused_with_their_file(tmp_path, skills):
    write(tmp_path, "routines", skills=skills)
    assert refusal(tmp_path).where.startswith("routines.yaml")


# References between skills


def test_an_id_used_twice_is_refused_with_the_file_of_the_second(tmp_path):
    write(tmp_path, "checking", skill("a"), skill("b"))
    write(tmp_path, "routines", skill("c"), skill("a"))
    error = refusal(tmp_path)
    assert "'a' twice" in error.found
    assert "routines.yaml" in error.where


def test_an_unknown_neighbour_is_refused_with_file_skill_and_field(tmp_path):
    stranger = copy.deepcopy(skill("b"))
    stranger["neighbours"].append({"skill": "nobody", "line": "The line between the two."})
    write(tmp_path, "routines", skill("a"), stranger)
    error = refusal(tmp_path)
    assert "'nobody'" in error.found
    assert error.where == "routines.yaml: b: neighbours"


def test_an_unknown_prerequisite_is_refused_with_file_skill_and_field(tmp_path):
    write(tmp_path, "routines", skill("a"), skill("b", prerequisites=["nobody"]))
    error = refusal(tmp_path)
    assert "'nobody'" in error.found
    assert error.where == "routines.yaml: b: prerequisites"


@pytest.mark.parametrize(
    "changes",
    [{"prerequisites": ["b"]}, {"neighbours": [{"skill": "b", "line": "The line between the two."}]}],
)
def test_a_skill_is_neither_its_own_neighbour_nor_its_own_prerequisite(tmp_path, changes):
    write(tmp_path, "routines", skill("a"), skill("b", **changes))
    error = refusal(tmp_path)
    assert "'b'" in error.found
    assert error.wanted == "the id of another skill"


def test_two_skills_that_need_each_other_first_are_refused(tmp_path):
    write(tmp_path, "routines", skill("a", prerequisites=["b"]), skill("b", prerequisites=["a"]))
    assert refusal(tmp_path).found == "a circle a > b > a"


def test_a_circle_across_files_is_named_step_by_step(tmp_path):
    write(tmp_path, "checking", skill("a"), skill("b", prerequisites=["c"]))
    write(tmp_path, "routines", skill("c", prerequisites=["a", "d"]), skill("d", prerequisites=["b"]))
    error = refusal(tmp_path)
    assert error.found == "a circle b > c > d > b"
    assert error.wanted == "prerequisites that end"
