from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from recommender.errors import SettingsError
from service.store.errors import StoreError
from service.store.text_keys import TextKeys, new_text_key

bounded = settings(max_examples=50, deadline=None, derandomize=True)
OLD, NEW = bytes(range(32)), bytes(range(1, 33))


@bounded
@given(st.binary(max_size=500), st.text(max_size=50))
def test_what_is_sealed_opens_at_its_place_and_nowhere_else(content, place):
    keys = TextKeys([NEW])
    key_id, sealed = keys.seal(content, place)
    assert keys.open(key_id, sealed, place) == content
    with pytest.raises(StoreError, match="altered"):
        keys.open(key_id, sealed, place + "x")


@bounded
@given(st.binary(min_size=1, max_size=100), st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed(content, position, change):
    keys = TextKeys([NEW])
    key_id, sealed = keys.seal(content, "p")
    altered = bytearray(sealed)
    altered[position % len(altered)] ^= change
    with pytest.raises(StoreError, match="altered"):
        keys.open(key_id, bytes(altered), "p")


def test_the_same_text_is_never_sealed_the_same_twice_and_cannot_be_read():
    keys = TextKeys([NEW])
    one, two = keys.seal(b"Same three hands", "p")[1], keys.seal(b"Same three hands", "p")[1]
    assert one != two
    assert b"hands" not in one


def test_a_new_key_in_front_seals_and_the_old_one_still_opens():
    key_id, sealed = TextKeys([OLD]).seal(b"text", "p")
    both = TextKeys([NEW, OLD])
    assert both.open(key_id, sealed, "p") == b"text"
    assert both.current == TextKeys([NEW]).current != key_id
    with pytest.raises(StoreError, match="rotate"):
        TextKeys([NEW]).open(key_id, sealed, "p")


def test_without_a_key_texts_stay_as_they_are():
    keys = TextKeys.parse(None)
    assert keys.current is None
    assert keys.open(*keys.seal(b"text", "p"), "p") == b"text"


def test_the_setting_holds_several_keys_in_either_alphabet():
    standard = base64.b64encode(b"\xff\xfe" * 16).decode()
    assert "/" in standard
    url_safe = base64.urlsafe_b64encode(b"\xff\xfe" * 16).decode()
    assert TextKeys.parse(SecretStr(standard)).current == TextKeys.parse(SecretStr(url_safe)).current
    assert len(repr(TextKeys.parse(SecretStr(f"{new_text_key()}, {standard}"))).split(",")) == 2


@pytest.mark.parametrize("value", ["hunter2", "A" * 43 + "=", base64.b64encode(b"short").decode(), "changeme!"])
def test_what_is_no_random_key_is_refused_and_not_quoted(value):
    with pytest.raises(SettingsError, match="GROWTH_TEXT_KEY") as caught:
        TextKeys.parse(SecretStr(value))
    assert value not in str(caught.value)
