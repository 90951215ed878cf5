"""What the service can be told from outside: GROWTH_* environment variables, each with a default and a sentence."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from recommender.cases import lower_first
from recommender.errors import SettingsError

ENV_PREFIX = "GROWTH_"
MEBIBYTE = 1_048_576
_HASH = re.compile(r"[0-9a-f]{64}")


def _split(value: object) -> object:
    """One variable holds several keys, separated by commas or spaces."""
    return tuple(value.replace(",", " ").lower().split()) if isinstance(value, str) else value


def _a_hash(value: str) -> str:
    if not _HASH.fullmatch(value):
        raise ValueError("the SHA-256 of a key as 64 hex digits, never the key itself")
    return value


KeyHash = Annotated[str, AfterValidator(_a_hash)]


class Settings(BaseSettings):
    """Everything that differs between two installations; immutable once read.

    Raises SettingsError when other machines could reach the service and no key is set.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address to listen on; anything but loopback needs api_keys.")
    port: int = Field(8000, ge=1, le=65_535, description="Port to listen on.")
    models: Path | None = Field(None, description="Models folder; unset means the one that is shipped.")
    norms: Path | None = Field(
        None, description="Norms of your district, written by `growth norms fit`; unset leaves the shipped priors."
    )
    instruments: Path | None = Field(
        None, description="Folder of your own rubrics, one .yaml each, beside the shipped instruments."
    )
    api_keys: Annotated[tuple[KeyHash, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="SHA-256 hex digests of the accepted keys, separated by commas."
    )
    open_page: bool = Field(
        False, description="Serve the page without a key on a network; put your own sign-in in front of it."
    )
    safeguarding_contact: Annotated[str, StringConstraints(min_length=3, max_length=300)] = Field(
        "your school's safeguarding lead",
        description="Whom a teacher is told to talk to when a text may be about someone's safety.",
    )
    max_body_bytes: int = Field(
        MEBIBYTE, ge=1_024, description="Largest request body; 1 MiB holds a struggle and 2,000 scores without notes."
    )
    max_batch_bytes: int = Field(8 * MEBIBYTE, ge=1_024, description="Largest body of a batch.")
    max_batch: int = Field(1_000, ge=1, le=1_000, description="Most cases in one batch.")
    request_timeout_seconds: float = Field(
        60.0, gt=0, le=600, description="Longest wait for a body to arrive, and longest time spent on one batch."
    )
    rank_threads: int = Field(
        4, ge=1, le=64, description="Requests worked on at the same time; others wait. Each uses one core at most."
    )
    data: Path = Field(Path("~/.growth"), description="Folder of the embedded database and of what belongs to it.")
    database: SecretStr | None = Field(
        None, description="Database URL, postgresql+psycopg://...; unset means growth.sqlite3 in the data folder."
    )
    text_key: SecretStr | None = Field(
        None, description="Keys that encrypt stored texts (base64, 32 bytes), newest first; unset stores them readable."
    )
    retention_months: int = Field(
        12,
        ge=1,
        le=120,
        description="Months that texts are kept after the end of their cycle; a tenant may set its own.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line written."
    )

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @model_validator(mode="after")
    def _keys_beyond_this_machine(self) -> Settings:
        if not self.is_local and not self.api_keys:
            raise SettingsError(
                "a host other machines can reach and no key",
                wanted="GROWTH_API_KEYS to hold the SHA-256 of at least one key",
                way_out="Set it, or listen on 127.0.0.1.",
            )
        return self


def read_settings(**options: Any) -> Settings:
    """Settings from ``options`` first, then the environment, then the defaults.

    Raises SettingsError naming the variable; the refused value is not quoted, because it may be a key.
    """
    try:
        return Settings(**options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = ENV_PREFIX + str(first["loc"][0] if first["loc"] else "?").upper()
        raise SettingsError(
            f"a value that cannot be used in {name}",
            wanted=lower_first(first["msg"]),
            way_out="`growth doctor` lists every setting.",
        ) from None


def settings_table() -> list[tuple[str, str, str]]:
    """(variable, default, description) of every setting, in order."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, ()) else str(field.default)
        rows.append((ENV_PREFIX + name.upper(), default, field.description or ""))
    return rows
