from __future__ import annotations

from typing import get_args

import yaml

from recommender.observations.notices import NOTICES, NOTICES_FILE, Notice, notice


def test_every_notice_has_one_sentence_and_every_sentence_is_a_notice() -> None:
    assert set(get_args(Notice)) == set(NOTICES) == set(yaml.safe_load(NOTICES_FILE.read_text(encoding="utf-8")))
    for key in NOTICES:
        assert notice(key)[0].isupper() and notice(key).endswith(".")


def test_no_notice_speaks_of_a_deficit() -> None:
    said = " ".join(map(notice, NOTICES)).lower()
    assert not any(word in said for word in ("deficit", "weak", "poor", "fail"))
