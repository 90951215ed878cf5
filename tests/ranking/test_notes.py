"""Observers' notes through the shipped encoder, screening and text model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.ranking.fusion import Fusion, FusionWeights
from recommender.ranking.notes import NoteReader
from recommender.ranking.versions import DEFAULT_MODELS, open_version
from recommender.struggles.encoder import Encoder
from recommender.struggles.screening import Screener
from recommender.struggles.text_model import TextModel

TEACHING = "The same three students answer every question the teacher asks, and the rest wait for them to do it."
OFF_TOPIC = "The district has not paid my stipend since August and payroll does not answer my emails."
UNSAFE = "A girl in her class told her at recess that her uncle hurts her at night and made her promise not to tell."


@pytest.fixture(scope="module")
def folders() -> tuple[Path, Path]:
    """Of the shipped version and of its encoder."""
    return open_version(DEFAULT_MODELS)[1:]


@pytest.fixture(scope="module")
def encoder(folders: tuple[Path, Path]) -> Encoder:
    return Encoder(folders[1], threads=1)


@pytest.fixture(scope="module")
def text_model(folders: tuple[Path, Path]) -> TextModel:
    return TextModel.load(folders[0])


@pytest.fixture(scope="module")
def prior_shares(folders: tuple[Path, Path]) -> np.ndarray:
    return Fusion(FusionWeights.load(folders[0]), load_catalogue()).prior_shares


@pytest.fixture(scope="module")
def reader(folders: tuple[Path, Path], encoder: Encoder, text_model: TextModel, prior_shares: np.ndarray) -> NoteReader:
    return NoteReader(encoder, Screener.load(*folders), text_model, prior_shares)


def test_a_note_is_read_as_the_text_model_reads_it_against_what_any_note_would_say(
    reader: NoteReader, encoder: Encoder, text_model: TextModel, prior_shares: np.ndarray
) -> None:
    (note,) = reader.read([TEACHING]).usable
    assert len(note.clauses) == len(note.clause_effects) > 1
    assert all(clause in TEACHING for clause in note.clauses)
    said = note.base + note.clause_effects.sum(axis=0)
    text = text_model.read(TEACHING, encoder.read(TEACHING))
    np.testing.assert_allclose(said, text.log_probability - np.log(prior_shares), atol=1e-4)
    catalogue = load_catalogue()
    assert said[catalogue.index["cold-calling"]] > 0 > said[catalogue.index["phonics-routine"]]


def test_what_is_not_about_teaching_or_too_short_is_left_out_and_the_rest_is_kept_in_order(reader: NoteReader) -> None:
    other = "He gave the directions once, and half of the class did not know what to do when they moved to groups."
    read = reader.read([OFF_TOPIC, TEACHING, "Good.", other])
    assert not read.safeguarding
    assert [" ".join(note.clauses)[:12] for note in read.usable] == [TEACHING[:12], other[:12]]


def test_one_note_about_somebodys_safety_is_all_that_counts(reader: NoteReader) -> None:
    read = reader.read([TEACHING, UNSAFE])
    assert read.safeguarding
    assert read.usable == []


def test_no_note_says_nothing(reader: NoteReader) -> None:
    read = reader.read([])
    assert (read.usable, read.safeguarding) == ([], False)


@pytest.mark.parametrize("blank", ["   ", "\u200b"])
def test_a_note_without_a_word_is_left_out(reader: NoteReader, blank: str) -> None:
    assert reader.read([blank]).usable == []
