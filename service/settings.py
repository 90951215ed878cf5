"""What the service can be told from outside: GROWTH_* environment variables, each with a default and a sentence."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

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
from recommender.ranking.versions import VersionName
from service.placeholder_secrets import why_no_secret

ENV_PREFIX = "GROWTH_"
# A folder of files named as the variables (growth_text_key ...), as container systems hand over secrets.
SECRETS_VARIABLE = "GROWTH_SECRETS"
MEBIBYTE = 1_048_576
_HASH = re.compile(r"[0-9a-f]{64}")


def _split(value: object) -> object:
    """One variable holds several keys, separated by commas or spaces."""
    return tuple(value.replace(",", " ").lower().split()) if isinstance(value, str) else value


def _a_hash(value: str) -> str:
    if not _HASH.fullmatch(value):
        raise ValueError("the SHA-256 of a key as 64 hex digits, never the key itself")
    return value


def _an_origin(value: str) -> str:
    """An address of a site: a scheme, a host, perhaps a port, and https where others can listen."""
    parts = urlsplit(value)
    is_plain = not (parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"))
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not (parts.hostname and is_plain and safe):
        raise ValueError("an address like https://growth.school.example, without a path")
    return f"{parts.scheme}://{parts.netloc}"


def _an_issuer(value: str) -> str:
    parts = urlsplit(value)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not (parts.hostname and safe) or parts.query or parts.fragment or parts.username or parts.password:
        raise ValueError("an address that begins with https://, as the provider writes it")
    return value


def _a_network(value: str) -> str:
    try:
        return str(ip_network(value)) if "/" in value else str(ip_address(value))
    except ValueError:
        raise ValueError("addresses or networks like 10.0.0.5 and 10.1.0.0/16") from None


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


KeyHash = Annotated[str, AfterValidator(_a_hash)]
Proxy = Annotated[str, AfterValidator(_a_network)]


class Settings(BaseSettings):
    """Everything that differs between two installations; immutable once read.

    Raises SettingsError when other machines could reach the service and no key is set or a secret is none, and when an
    identity provider is set in part.
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
    database_password: SecretStr | None = Field(
        None, description="Password of the database's account, where the URL has none."
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
    public_url: Annotated[str, AfterValidator(_an_origin)] | None = Field(
        None, description="Address people and links use, https://...; unset means this machine's own."
    )
    trusted_proxies: Annotated[tuple[Proxy, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="Addresses of proxies whose X-Forwarded-For is believed, separated by commas."
    )
    app_requests_per_minute: int = Field(
        600, ge=1, le=100_000, description="Requests an app may send in a minute; 10 a second is a busy school."
    )
    oidc_issuer: Annotated[str, AfterValidator(_an_issuer)] | None = Field(
        None, description="Issuer of your identity provider (OpenID Connect); unset leaves sign-in by link."
    )
    oidc_client_id: str | None = Field(None, description="What the provider calls this service.")
    oidc_client_secret: SecretStr | None = Field(None, description="This service's secret at the provider.")
    oidc_tenant: str | None = Field(None, description="Name or id of the tenant whose people the provider knows.")
    exploration: float = Field(
        0.0,
        ge=0,
        le=0.2,
        description="Chance of swapping two near-tied suggestions so that position can be told from fit; logged.",
    )
    shadow: VersionName | None = Field(
        None, description="Model version that ranks stored cases beside the one that answers; only counts are kept."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line written."
    )

    @property
    def is_local(self) -> bool:
        """Whether only programs on this machine can reach the service, as far as the settings tell."""
        through_proxy = self.public_url is not None and not is_loopback(urlsplit(self.public_url).hostname or "")
        return is_loopback(self.host) and not through_proxy

    @property
    def base_url(self) -> str:
        """What links to pages begin with."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Settings:
        parts = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret, self.oidc_tenant)
        if any(parts) and not (all(parts) and self.public_url):
            raise SettingsError(
                "an identity provider with parts missing",
                wanted="GROWTH_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET, _TENANT and GROWTH_PUBLIC_URL",
                way_out="Set all five, or none of GROWTH_OIDC_*.",
            )
        return self

    @model_validator(mode="after")
    def _secrets_beyond_this_machine(self) -> Settings:
        known = {} if self.is_local else {name: why_no_secret(secret) for name, secret in self._secrets()}
        bad = [f"{name} ({why})" for name, why in known.items() if why is not None]
        if bad:
            raise SettingsError(
                f"what everybody knows in {', '.join(bad)}",
                wanted="secrets of your own, long and random",
                way_out="`growth admin text-key new` prints one for texts, `openssl rand -hex 24` a password.",
            )
        return self

    def _secrets(self) -> Iterator[tuple[str, str]]:
        """Every secret somebody chose, with the variable it is in."""
        for variable, value in (
            ("GROWTH_DATABASE_PASSWORD", self.database_password),
            ("GROWTH_OIDC_CLIENT_SECRET", self.oidc_client_secret),
        ):
            if value is not None:
                yield variable, value.get_secret_value()
        if self.text_key is not None:
            keys = self.text_key.get_secret_value().replace(",", " ").split()
            yield from ((f"GROWTH_TEXT_KEY, key {place}", key) for place, key in enumerate(keys, start=1))
        if self.database is not None:
            try:
                password = urlsplit(self.database.get_secret_value()).password
            except ValueError:
                password = None
            if password:
                yield "GROWTH_DATABASE", unquote(password)

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
    """Settings from ``options``, then the environment, then files of the folder GROWTH_SECRETS, then the defaults.

    Raises SettingsError naming the variable; the refused value is not quoted, because it may be a key.
    """
    folder = os.environ.get(SECRETS_VARIABLE)
    if folder and not Path(folder).is_dir():
        raise SettingsError("no such folder", wanted="the folder of the secrets' files", where=SECRETS_VARIABLE)
    try:
        return Settings(_secrets_dir=folder or None, **options)
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
