from __future__ import annotations

import pytest

from recommender.errors import SettingsError
from service.placeholder_secrets import placeholders
from service.settings import Settings, read_settings, settings_table
from service.store.database import database_url
from service.store.text_keys import TextKeys, new_text_key

HASH = "ab" * 32


def test_the_defaults_answer_on_this_machine_only_and_need_no_key():
    settings = Settings()
    assert settings.host == "127.0.0.1"
    assert settings.is_local
    assert settings.api_keys == ()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "growth.example", ""])
def test_a_host_others_can_reach_is_refused_without_a_key(host):
    with pytest.raises(SettingsError, match="GROWTH_API_KEYS"):
        read_settings(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_loopback_needs_no_key(host):
    assert read_settings(host=host).is_local


def test_a_host_others_can_reach_is_taken_with_a_key():
    assert not read_settings(host="0.0.0.0", api_keys=(HASH,)).is_local


def test_one_variable_holds_several_keys(monkeypatch):
    monkeypatch.setenv("GROWTH_API_KEYS", f"{HASH}, {HASH.upper()[::-1]}")
    assert read_settings().api_keys == (HASH, HASH[::-1])


def test_a_key_in_place_of_its_hash_is_refused_and_not_quoted(monkeypatch):
    monkeypatch.setenv("GROWTH_API_KEYS", "my-secret-key")
    with pytest.raises(SettingsError, match="GROWTH_API_KEYS") as caught:
        read_settings()
    assert "my-secret-key" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_environment_is_read_and_an_option_beats_it(monkeypatch):
    monkeypatch.setenv("GROWTH_PORT", "9001")
    assert read_settings().port == 9001
    assert read_settings(port=9002).port == 9002


@pytest.mark.parametrize(("name", "value"), [("PORT", "0"), ("MAX_BATCH", "1001"), ("LOG_LEVEL", "loud")])
def test_a_value_out_of_range_names_its_variable(monkeypatch, name, value):
    monkeypatch.setenv(f"GROWTH_{name}", value)
    with pytest.raises(SettingsError, match=f"GROWTH_{name}"):
        read_settings()


def test_a_public_address_of_another_host_means_that_others_can_reach_this_machine_through_a_proxy():
    with pytest.raises(SettingsError, match="GROWTH_API_KEYS"):
        read_settings(public_url="https://growth.example")
    assert not read_settings(public_url="https://growth.example", api_keys=(HASH,)).is_local
    assert read_settings(public_url="http://localhost:9000").is_local


@pytest.mark.parametrize(
    ("options", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "::1", "port": 9000}, "http://[::1]:9000"),
        ({"public_url": "https://growth.example/", "api_keys": (HASH,)}, "https://growth.example"),
    ],
)
def test_links_begin_with_the_public_address_or_this_machines_own(options, address):
    assert read_settings(**options).base_url == address


def test_proxies_are_addresses_and_networks_in_one_variable(monkeypatch):
    monkeypatch.setenv("GROWTH_TRUSTED_PROXIES", "10.0.0.5, 10.1.0.0/16")
    assert read_settings().trusted_proxies == ("10.0.0.5", "10.1.0.0/16")
    for wrong in ("*", "proxy.example", "10.0.0.0/33"):
        monkeypatch.setenv("GROWTH_TRUSTED_PROXIES", wrong)
        with pytest.raises(SettingsError, match="GROWTH_TRUSTED_PROXIES"):
            read_settings()


def test_every_setting_is_documented_in_one_sentence():
    table = settings_table()
    assert len(table) == len(Settings.model_fields)
    for variable, _, description in table:
        assert variable.startswith("GROWTH_")
        assert description.endswith(".")
        assert len(description) <= 120


NETWORK = {"host": "0.0.0.0", "api_keys": (HASH,)}
PROVIDER = {
    "oidc_issuer": "https://id.example", "oidc_client_id": "growth", "oidc_tenant": "North",
    "public_url": "https://growth.example",
}  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "options"),
    [
        ("GROWTH_DATABASE", {"database": "postgresql://growth:growth@database/growth"}),
        ("GROWTH_DATABASE", {"database": "postgresql://growth:change%2Dme@database/growth"}),
        ("GROWTH_DATABASE_PASSWORD", {"database_password": "Change_Me"}),
        ("GROWTH_OIDC_CLIENT_SECRET", PROVIDER | {"oidc_client_secret": "let-me-in"}),
        ("GROWTH_TEXT_KEY, key 2", {"text_key": f"{new_text_key()} MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}),
    ],
)
def test_a_secret_everybody_knows_is_refused_by_its_variable_where_others_can_reach_the_service(variable, options):
    with pytest.raises(SettingsError, match=variable) as caught:
        read_settings(**NETWORK | options)
    for value in options.values():
        assert value == "growth" or value not in str(caught.value)
    local = {key: value for key, value in options.items() if key != "public_url" and not key.startswith("oidc")}
    assert read_settings(**local).is_local


def test_every_secret_everybody_knows_is_named_at_once():
    with pytest.raises(SettingsError, match=r"GROWTH_DATABASE_PASSWORD .*, GROWTH_DATABASE "):
        read_settings(**NETWORK, database="postgresql://a:root@b/c", database_password="admin")


def test_a_public_address_makes_a_service_on_loopback_one_of_the_network():
    assert not read_settings(public_url="https://growth.example", api_keys=(HASH,)).is_local
    assert read_settings(public_url="http://localhost:9000").is_local
    with pytest.raises(SettingsError, match="GROWTH_DATABASE_PASSWORD"):
        read_settings(public_url="https://growth.example", api_keys=(HASH,), database_password="postgres")


def test_secrets_of_ones_own_pass():
    settings = read_settings(**NETWORK, database_password="9c1f7e", text_key=new_text_key())
    assert not settings.is_local


def test_each_placeholder_has_a_reason_and_each_key_among_them_is_one_that_would_be_taken_otherwise():
    for placeholder in placeholders().values():
        assert placeholder.why
        if placeholder.value.endswith("="):
            key = Settings(text_key=placeholder.value).text_key
            try:
                assert TextKeys.parse(key).current
            except SettingsError:
                assert "one letter" in placeholder.why


def test_secrets_are_read_from_files_and_the_environment_beats_them(tmp_path, monkeypatch):
    (tmp_path / "growth_database_password").write_text("of the file\n")
    (tmp_path / "growth_text_key").write_text(new_text_key() + "\n")
    monkeypatch.setenv("GROWTH_SECRETS", str(tmp_path))
    settings = read_settings(database="postgresql://growth@database/growth")
    assert TextKeys.parse(settings.text_key).current
    assert database_url(settings).password == "of the file"
    monkeypatch.setenv("GROWTH_DATABASE_PASSWORD", "of the environment")
    assert database_url(read_settings(database="postgresql://a@b/c")).password == "of the environment"
    assert database_url(read_settings(database="postgresql://a:own@b/c")).password == "own"


def test_a_folder_of_secrets_that_is_not_there_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GROWTH_SECRETS", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="GROWTH_SECRETS"):
        read_settings()
