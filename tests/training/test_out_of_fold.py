import numpy as np
import pytest
from scipy.special import log_softmax

from recommender.errors import DataFileError
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold


def made_up(*ids: str, seed: int = 0) -> OutOfFold:
    rng = np.random.default_rng(seed)
    return OutOfFold(
        ids,
        log_softmax(3 * rng.normal(size=(len(ids), 115)), axis=1).astype(np.float32),
        log_softmax(3 * rng.normal(size=(len(ids), 4)), axis=1).astype(np.float32),
    )


def test_values_survive_the_file_within_half_precision(tmp_path):
    saved = made_up("te-1", "te-2", "te-3")
    saved.save(tmp_path / OUT_OF_FOLD_FILE)
    again = OutOfFold.load(tmp_path / OUT_OF_FOLD_FILE)
    assert again.ids == saved.ids
    assert again.skill_log_p.dtype == again.status_log_p.dtype == np.float32
    # Half precision keeps 11 binary digits: half a unit in 2^-11 of the value.
    np.testing.assert_allclose(again.skill_log_p, saved.skill_log_p, rtol=2**-11)
    np.testing.assert_allclose(again.skill_log_p, saved.skill_log_p, atol=0.01)
    np.testing.assert_allclose(again.status_log_p, saved.status_log_p, rtol=2**-11)


def test_what_was_saved_once_is_saved_the_same_again(tmp_path):
    made_up("te-1", "te-2").save(tmp_path / "one.npz")
    first = OutOfFold.load(tmp_path / "one.npz")
    first.save(tmp_path / "two.npz")
    second = OutOfFold.load(tmp_path / "two.npz")
    assert (second.skill_log_p == first.skill_log_p).all()
    assert (second.status_log_p == first.status_log_p).all()


def test_a_file_is_sorted_by_id_with_every_row_at_its_id(tmp_path):
    saved = made_up("b", "c", "a")
    saved.save(tmp_path / OUT_OF_FOLD_FILE)
    again = OutOfFold.load(tmp_path / OUT_OF_FOLD_FILE)
    assert again.ids == ("a", "b", "c")
    np.testing.assert_allclose(again.skill_log_p, saved.skill_log_p[[2, 0, 1]], rtol=2**-11)
    np.testing.assert_allclose(again.status_log_p, saved.status_log_p[[2, 0, 1]], rtol=2**-11)


def test_folds_are_joined_in_order():
    one, two = made_up("a", "b"), made_up("c", seed=1)
    joined = OutOfFold.join(iter([one, two]))
    assert joined.ids == ("a", "b", "c")
    assert (joined.skill_log_p == np.concatenate([one.skill_log_p, two.skill_log_p])).all()
    assert (joined.status_log_p == np.concatenate([one.status_log_p, two.status_log_p])).all()


def test_rows_are_taken_by_id_in_the_order_asked_for():
    all_of_them = made_up("a", "b", "c", "d")
    taken = all_of_them.take(["d", "b"])
    assert taken.ids == ("d", "b")
    assert (taken.skill_log_p == all_of_them.skill_log_p[[3, 1]]).all()
    assert (taken.status_log_p == all_of_them.status_log_p[[3, 1]]).all()


def test_a_missing_id_is_named_and_all_of_them_are_counted():
    with pytest.raises(DataFileError) as caught:
        made_up("a", "b").take(["a", "te-0417", "b", "te-0500"])
    assert caught.value.found == "2 texts without out-of-fold values, 'te-0417' first"
    assert "cross-validation" in caught.value.way_out
