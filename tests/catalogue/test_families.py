from __future__ import annotations

import numpy as np
import pytest

from recommender.catalogue.families import FAMILIES_FILE, load_families
from recommender.catalogue.yaml_files import read_yaml
from recommender.errors import DataFileError

# Lesson-level domain scores of Global Teaching InSights, scale 1 to 4: mean, SD.
GTI = {
    "management": (3.73, 0.37),
    "social-emotional": (2.85, 0.49),
    "discourse": (2.24, 0.50),
    "subject-matter": (2.26, 0.41),
    "cognitive-engagement": (1.69, 0.57),
    "assessment": (2.45, 0.52),
    # The mean of all components, and the SD of an average single one.
    "other": (2.52, 0.60),
}


def test_the_list_of_families_is_closed():
    assert " ".join(load_families()) == (
        "routines behaviour climate expectations clarity questioning discussion cognitive-demand checking feedback "
        "adapting agency planning professional"
    )


@pytest.mark.parametrize("family", list(load_families()))
def test_a_borrowed_norm_is_the_operational_one_moved_by_a_quarter_of_the_domains_distance(family: str):
    norm = load_families()[family]
    levels, shares = np.array([1, 2, 3, 4]), np.array([0.003, 0.04, 0.66, 0.30])
    mean = float(shares @ levels / shares.sum())
    sd = float(np.sqrt(shares @ (levels - mean) ** 2 / shares.sum()))
    gti, _ = GTI[norm.domain]
    assert norm.position_mean == pytest.approx((mean - 1) / 3 + ((gti - 1) / 3 - (2.52 - 1) / 3) / 4, abs=4e-3)
    assert norm.position_sd == pytest.approx(sd / 3, abs=4e-3)
    assert "operational" in norm.source


@pytest.mark.parametrize(
    ("found", "instead", "where"),
    [
        ("position_mean: 0.854", "position_mean: 9.1", "families.yaml: routines: position_mean"),
        ("position_sd: 0.179", "position_sd: 0", "families.yaml: routines: position_sd"),
        ("domain: management", "domain: order", "families.yaml: routines: domain"),
        ("  title: Routines and use of time\n", "", "families.yaml: routines: title"),
    ],
)
def test_a_broken_family_is_refused_with_family_and_field(tmp_path, found: str, instead: str, where: str):
    file = tmp_path / "families.yaml"
    file.write_text(FAMILIES_FILE.read_text(encoding="utf-8").replace(found, instead, 1), encoding="utf-8")
    with pytest.raises(DataFileError) as caught:
        load_families(file)
    assert caught.value.where == where


# Reading YAML strictly


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a: [1", "broken YAML"),
        (b"a: 2020-13-45\n", "broken YAML"),
        (b"\xff\xfe\x00", "broken YAML"),
        (b"- a\n- b\n", "found a list"),
        (b"", "found a NoneType"),
        (b"a: 1\nb: 2\na: 3\n", "line 3: found 'a' twice"),
        (b"x:\n  - {k: 1, k: 2}\n", "line 2: found 'k' twice"),
        (b"? [1, 2]\n: 3\n{1: 2}: 4\n", "broken YAML"),
    ],
)
def test_a_file_that_is_no_mapping_or_names_a_key_twice_is_refused(tmp_path, content: bytes, reason: str):
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    with pytest.raises(DataFileError, match=reason):
        read_yaml(file)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(DataFileError, match="no readable file"):
            read_yaml(path)
