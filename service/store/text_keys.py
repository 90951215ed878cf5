"""Keys that stored texts are encrypted with: AES-GCM, each text bound to its place."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from recommender.errors import SettingsError
from service.store.errors import StoreError

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_ID_CHARACTERS = 8


class TextKeys:
    """The first key encrypts; all of them decrypt, so that a new key can be put in front of an old one.

    Without a key texts are stored as they are.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._ciphers = {_key_id(key): AESGCM(key) for key in keys}

    def __repr__(self) -> str:
        return f"TextKeys({', '.join(self._ciphers) or 'none'})"

    @classmethod
    def parse(cls, setting: SecretStr | None) -> TextKeys:
        """Keys of ``GROWTH_TEXT_KEY``: base64 of 32 bytes each, separated by commas or spaces, newest first.

        Raises SettingsError; no part of a key is quoted.
        """
        words = [] if setting is None else setting.get_secret_value().replace(",", " ").split()
        try:
            keys = [base64.b64decode(word.translate(_STANDARD), validate=True) for word in words]
        except (binascii.Error, ValueError):
            keys = [b""]
        if any(len(key) != KEY_BYTES or len(set(key)) == 1 for key in keys):
            raise SettingsError(
                "a value that is no key in GROWTH_TEXT_KEY",
                wanted=f"base64 of {KEY_BYTES} random bytes",
                way_out="`growth admin text-key new` prints one.",
            )
        return cls(keys)

    @property
    def current(self) -> str | None:
        """Id of the key that encrypts now."""
        return next(iter(self._ciphers), None)

    def seal(self, content: bytes, place: str) -> tuple[str | None, bytes]:
        """(key id, sealed content). ``place`` names where it is stored; it opens nowhere else."""
        if self.current is None:
            return None, content
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self.current, nonce + self._ciphers[self.current].encrypt(nonce, content, place.encode())

    def open(self, key_id: str | None, content: bytes, place: str) -> bytes:
        """What was sealed. Raises StoreError when the key is not here or the content was changed or moved."""
        if key_id is None:
            return content
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise StoreError(
                f"a text of key {key_id}",
                wanted="that key in GROWTH_TEXT_KEY",
                way_out="Add it behind the new one, then `growth admin text-key rotate`.",
            )
        try:
            return cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], place.encode())
        except InvalidTag:
            raise StoreError("a stored text that was altered", wanted="the text as it was written") from None


def new_text_key() -> str:
    """A fresh key as the setting takes it."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


# Both base64 alphabets are read.
_STANDARD = str.maketrans("-_", "+/")


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"growth text key id\x00" + key).hexdigest()[:KEY_ID_CHARACTERS]
