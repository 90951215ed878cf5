import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import ScoreError, SettingsError
from recommender.exchange.pseudonyms import KEY_VARIABLE, Pseudonyms, person_likeness, read_pseudonyms, redacted

KEY = b"a key of sixteen"

bounded = settings(max_examples=100, deadline=None, derandomize=True)


def test_a_pseudonym_is_the_hmac_of_kind_and_folded_id_in_base32():
    # python3 -c "hmac(KEY, b'teacher\\0ana lopez', sha256)", first ten bytes, base32, lower case.
    import base64
    import hashlib
    import hmac

    expected = base64.b32encode(hmac.new(KEY, b"teacher\0ana lopez", hashlib.sha256).digest()[:10]).decode().lower()
    assert Pseudonyms(KEY).of("teacher", " Ana  LOPEZ ") == f"t-{expected}"
    assert len(expected) == 16


def test_another_key_another_kind_or_another_person_is_another_pseudonym():
    named = Pseudonyms(KEY)
    four = {
        named.of("teacher", "Ana Lopez"),
        named.of("observer", "Ana Lopez").replace("o-", "t-"),
        named.of("teacher", "Ana Lopes"),
        Pseudonyms(KEY + b"!").of("teacher", "Ana Lopez"),
    }
    assert len(four) == 4


@pytest.mark.parametrize(
    "identity",
    [
        "ana@school.org",
        "Ana <ana@school.org>",
        "Ana Lopez",
        "ANA LOPEZ",
        "Ana de la Cruz",
        "Lopez, Ana",
        "O'Brien, Mary-Kate",
        "María Núñez",
        "Ana M. Lopez",
    ],
)
def test_what_looks_like_a_person_is_refused_without_a_key_and_replaced_with_one(identity):
    with pytest.raises(ScoreError) as caught:
        Pseudonyms().safe("teacher", identity)
    assert not any(part in str(caught.value) for part in identity.split())
    assert Pseudonyms(KEY).safe("observer", identity).startswith("o-")


@pytest.mark.parametrize(
    "identity", ["t-204", "00123", "Teacher A", "room 12", "5f1e2d3c4b5a69788796a5b4", "T 17", "ana", "R07", "a, 7"]
)
def test_codes_are_no_persons_and_stay_as_they_are(identity):
    assert Pseudonyms().safe("teacher", identity) == identity
    assert Pseudonyms(KEY).safe("teacher", identity) == identity


def test_a_school_may_be_called_by_capitalised_words_but_not_by_an_address():
    assert Pseudonyms().safe("school", "Lincoln High") == "Lincoln High"
    assert person_likeness("school", "office@lincoln.org") == "an e-mail address"


def test_a_pseudonym_looks_like_no_person():
    for kind in ("teacher", "observer", "school"):
        assert person_likeness(kind, Pseudonyms(KEY).of(kind, "Ana Lopez")) is None


def test_the_key_comes_from_the_file_before_the_variable_and_its_line_end_does_not_count(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, "the variable's own key")
    (tmp_path / "key").write_bytes(KEY + b"\n")
    assert read_pseudonyms(tmp_path / "key").key == KEY
    assert read_pseudonyms().key == b"the variable's own key"
    monkeypatch.delenv(KEY_VARIABLE)
    assert not read_pseudonyms().has_key


def test_a_short_key_and_a_missing_key_file_are_refused_without_the_key_in_the_message(tmp_path):
    (tmp_path / "key").write_text("hunter2")
    with pytest.raises(SettingsError, match="7 bytes") as caught:
        read_pseudonyms(tmp_path / "key")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError, match="No such file"):
        read_pseudonyms(tmp_path / "none")


def test_a_key_does_not_show_in_a_representation():
    assert "sixteen" not in repr(Pseudonyms(KEY))


def test_addresses_and_telephone_numbers_leave_a_note_and_counts_stay():
    note = (
        "14 questions, 12 by the same 3; call (555) 123-4567 or +44 20 7946 0958, ana.l@school.k12.us. 2026-10-02 9:15"
    )
    expected = "14 questions, 12 by the same 3; call [phone] or [phone], [e-mail]. 2026-10-02 9:15"
    assert redacted(note) == expected


@bounded
@given(st.text(max_size=60))
def test_any_id_is_kept_refused_or_replaced_and_replacing_is_stable(identity):
    named = Pseudonyms(KEY)
    assert named.of("teacher", identity) == named.of("teacher", f" {identity.upper()} ") or not identity.isascii()
    safe = named.safe("teacher", identity)
    assert safe == identity or safe == named.of("teacher", identity)
    if safe == identity:
        assert Pseudonyms().safe("teacher", identity) == identity


@bounded
@given(st.text(max_size=80))
def test_redaction_takes_nothing_from_a_note_without_an_address_or_a_number(note):
    if "@" not in note and not any(letter.isdigit() for letter in note):
        assert redacted(note) == note
