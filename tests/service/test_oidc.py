from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from identity_provider import CLIENT_ID, CLIENT_SECRET, running_provider
from pydantic import SecretStr
from sqlalchemy import func, select, update
from starlette.testclient import TestClient

from recommender.errors import SettingsError
from service.access import provider as provider_module
from service.access.cookies import LOCAL_NAME, NETWORK_PREFIX, STATE_NAME
from service.access.provider_state import ProviderState, seal, unseal
from service.app import create_app
from service.settings import Settings, read_settings
from service.store.people import mark_left
from service.store.tables.people import Person
from service.store.tables.sign_in import PageSession

PUBLIC = "https://growth.example"
ANSWER = "/sign-in/provider/answer"
WHOLE = {
    "oidc_issuer": "https://id.example",
    "oidc_client_id": CLIENT_ID,
    "oidc_client_secret": SecretStr(CLIENT_SECRET),
    "oidc_tenant": "North School",
    "public_url": PUBLIC,
}
NETWORK = {"host": "0.0.0.0", "api_keys": ("00" * 32,)}
SESSION_COOKIE, STATE_COOKIE = NETWORK_PREFIX + LOCAL_NAME, NETWORK_PREFIX + STATE_NAME


@pytest.fixture
def identity():
    with running_provider() as provider:
        yield provider


@pytest.fixture
def school(school_app, served_model, identity):
    """The school on a network, with the provider; Tess's address is known to the school."""
    with school_app.database.write() as session:
        of_tess = Person.id == school_app.people["teacher"].id
        session.execute(update(Person).where(of_tess).values(email="tess@north.example"))
    settings = Settings(**NETWORK, **WHOLE | {"oidc_issuer": identity.issuer})
    school_app.app = create_app(settings, served_model, school_app.database)
    return school_app


def a_browser(school):
    return TestClient(
        school.app,
        base_url=PUBLIC,
        follow_redirects=False,
        headers={"Accept": "text/html"},
        raise_server_exceptions=True,
    )


def come_back(browser, identity):
    """Go to the provider and come back with its answer, not yet shown to the service."""
    sent = browser.get("/sign-in/provider")
    assert sent.status_code == 303
    assert sent.headers["location"].startswith(f"{identity.issuer}/authorize?")
    code, state = identity.authorize(sent.headers["location"])
    return {"code": code, "state": state}


def sign_in(browser, identity):
    return browser.get(ANSWER, params=come_back(browser, identity))


def sessions(school):
    with school.database.read() as session:
        return session.scalar(select(func.count()).select_from(PageSession))


def refused(school, browser, answer, status=403):
    assert answer.status_code == status
    assert 'role="alert"' in answer.text
    assert SESSION_COOKIE not in answer.cookies
    assert sessions(school) == 0
    assert browser.get("/").headers["location"] == "/sign-in"
    return answer


def test_a_person_the_school_knows_is_signed_in(school, identity):
    browser = a_browser(school)
    assert "school account" in browser.get("/sign-in").text
    answer = sign_in(browser, identity)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/").headers["location"] == "/moments"
    with school.database.read() as session:
        assert session.execute(select(PageSession.how, PageSession.person_id)).all() == [
            ("provider", school.people["teacher"].id)
        ]


def test_the_request_asks_for_as_little_as_needed_and_its_state_is_out_of_reach(school, identity):
    sent = a_browser(school).get("/sign-in/provider")
    query = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    assert query["scope"] == "openid email"
    assert query["redirect_uri"] == PUBLIC + ANSWER
    assert query["client_id"] == CLIENT_ID
    cookie = sent.headers["set-cookie"]
    assert cookie.startswith(STATE_COOKIE + "=")
    for flag in ("HttpOnly", "Secure", "SameSite=lax", "Max-Age=600", "Path=/"):
        assert flag in cookie
    for secret in ("state", "nonce", "code_challenge"):
        assert query[secret] not in cookie
    assert CLIENT_SECRET not in sent.headers["location"]


def test_the_second_time_the_provider_s_own_name_counts_and_not_the_address(school, identity):
    assert sign_in(a_browser(school), identity).status_code == 303
    identity.claims = {"email": "tess.new@north.example", "email_verified": False}
    assert sign_in(a_browser(school), identity).status_code == 303
    identity.claims = {"sub": "sub-2"}
    assert sign_in(a_browser(school), identity).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another-app"},
        {"aud": [CLIENT_ID, "another-app"]},
        {"azp": "another-app"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"sub": 7},
    ],
    ids=str,
)
def test_a_token_for_another_sign_in_app_or_time_proves_nothing(school, identity, claims):
    identity.claims = claims
    browser = a_browser(school)
    assert "did not work" in refused(school, browser, sign_in(browser, identity)).text


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "sub", "nonce"])
def test_a_token_without_what_makes_it_one_proves_nothing(school, identity, claim):
    identity.missing = {claim}
    browser = a_browser(school)
    refused(school, browser, sign_in(browser, identity))


@pytest.mark.parametrize(
    "forgery",
    ["unsigned", "signed_by_another", "signed_with_the_shared_secret", "signed_with_the_public_key_as_a_secret"],
)
def test_a_token_the_provider_did_not_sign_proves_nothing(school, identity, forgery):
    identity.sign = getattr(identity, forgery)
    browser = a_browser(school)
    refused(school, browser, sign_in(browser, identity))


@pytest.mark.parametrize("token", ["", "x", "a.b.c", None, 7, "." * 5_000])
def test_what_is_no_token_proves_nothing(school, identity, token):
    identity.sign = lambda claims: token
    browser = a_browser(school)
    refused(school, browser, sign_in(browser, identity))


@pytest.mark.parametrize(
    "claims",
    [{"email": "nobody@north.example"}, {"email_verified": False}, {"email_verified": "true"}, {"email": None},
     {"email": ["tess@north.example"]}],
    ids=str,
)  # fmt: skip
def test_an_unknown_person_or_an_unverified_address_is_told_whom_to_ask_and_nobody_is_created(school, identity, claims):
    with school.database.read() as session:
        before = session.scalar(select(func.count()).select_from(Person))
    identity.claims = claims
    browser = a_browser(school)
    answer = refused(school, browser, sign_in(browser, identity))
    assert "ask the person who runs this" in answer.text
    assert "north.example" not in answer.text
    with school.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == before


def test_who_has_left_is_not_signed_in(school, identity):
    with school.database.write() as session:
        mark_left(session, school.people["administrator"], school.people["teacher"].id)
    browser = a_browser(school)
    refused(school, browser, sign_in(browser, identity))


def test_an_answer_works_once_in_the_browser_that_asked(school, identity):
    browser = a_browser(school)
    back = come_back(browser, identity)
    state_cookie = browser.cookies[STATE_COOKIE]
    elsewhere = a_browser(school)
    refused(school, elsewhere, elsewhere.get(ANSWER, params=back))
    assert browser.get(ANSWER, params=back).status_code == 303
    assert STATE_COOKIE not in browser.cookies
    assert browser.get(ANSWER, params=back).status_code == 403
    # With the cookie put back the provider refuses the used code.
    browser.cookies.set(STATE_COOKIE, state_cookie)
    assert browser.get(ANSWER, params=back).status_code == 403
    assert sessions(school) == 1


def test_the_answer_to_another_sign_in_is_refused_before_the_provider_is_asked(school, identity):
    browser, other = a_browser(school), a_browser(school)
    mine, theirs = come_back(browser, identity), come_back(other, identity)
    for params in ({**mine, "state": theirs["state"]}, {**mine, "state": ""}, {"code": mine["code"]}, {}):
        back = come_back(browser, identity)
        assert back
        refused(school, browser, browser.get(ANSWER, params=params))
    assert "/token" not in identity.asked


def test_a_person_who_says_no_at_the_provider_is_back_at_the_way_in(school, identity):
    browser = a_browser(school)
    back = come_back(browser, identity)
    refused(school, browser, browser.get(ANSWER, params={"error": "access_denied", "state": back["state"]}))


def test_new_keys_of_the_provider_are_found(school, identity):
    assert sign_in(a_browser(school), identity).status_code == 303
    identity.change_keys()
    assert sign_in(a_browser(school), identity).status_code == 303


def test_the_discovery_document_is_asked_for_once(school, identity):
    for _ in range(3):
        sign_in(a_browser(school), identity)
    assert identity.asked.count("/.well-known/openid-configuration") == 1
    assert set(identity.asked) == {"/.well-known/openid-configuration", "/token", "/keys"}


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
        {"jwks_uri": 7},
    ],
    ids=str,
)
def test_a_discovery_document_of_another_issuer_or_with_unsafe_addresses_is_not_used(school, identity, discovery):
    identity.discovery = discovery
    browser = a_browser(school)
    answer = refused(school, browser, browser.get("/sign-in/provider"), 503)
    assert "cannot be reached" in answer.text


def test_a_provider_that_is_away_is_said_to_be_and_the_rest_goes_on(school, served_model):
    settings = Settings(**NETWORK, **WHOLE | {"oidc_issuer": "http://127.0.0.1:9"})
    school.app = create_app(settings, served_model, school.database)
    browser = a_browser(school)
    refused(school, browser, browser.get("/sign-in/provider"), 503)
    assert browser.get("/sign-in").status_code == 200


def test_while_the_provider_is_away_nobody_waits_for_it_again_and_later_it_is_asked(school, identity, monkeypatch):
    identity.discovery = {"issuer": "https://evil.example"}
    statuses = [a_browser(school).get("/sign-in/provider").status_code for _ in range(3)]
    assert statuses == [503] * 3
    assert len(identity.asked) == 1
    identity.discovery = {}
    monkeypatch.setattr(provider_module, "AWAY_SECONDS", 0)
    assert sign_in(a_browser(school), identity).status_code == 303


def test_no_code_state_token_or_address_is_in_the_log(school, identity, log_lines):
    browser = a_browser(school)
    back = come_back(browser, identity)
    browser.get(ANSWER, params=back)
    identity.claims = {"email": "nobody@north.example", "sub": "sub-9"}
    sign_in(browser, identity)
    lines = log_lines.getvalue()
    assert '"/sign-in/provider/answer"' in lines
    for word in (back["code"], back["state"], "north.example", "sub-1", "sub-9", CLIENT_SECRET):
        assert word not in lines


def test_a_state_is_opened_with_the_secret_it_was_sealed_with_for_ten_minutes():
    state = ProviderState(1_000)
    sealed = seal(state, "secret")
    assert unseal(sealed, "secret", 1_000) == state
    assert unseal(sealed, "secret", 1_600) == state
    assert unseal(sealed, "secret", 1_601) is None
    assert unseal(sealed, "secret", 999) is None
    assert unseal(sealed, "Secret", 1_000) is None
    assert unseal(sealed[:-6] + "AAAAA=", "secret", 1_000) is None
    for nothing in ("", "x", "é", "=" * 40, "A" * 40):
        assert unseal(nothing, "secret", 1_000) is None
    assert state.state not in repr(state)
    assert len({state.state, state.nonce, state.verifier}) == 3
    assert seal(state, "secret") != sealed


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_a_provider_set_in_part_is_refused_at_the_start(missing):
    parts = {name: value for name, value in WHOLE.items() if name != missing}
    with pytest.raises(SettingsError, match="GROWTH_OIDC"):
        read_settings(**NETWORK, **parts)


@pytest.mark.parametrize(
    ("name", "value"),
    [("oidc_issuer", "http://id.example"), ("oidc_issuer", "id.example"), ("oidc_issuer", "https://u:p@id.example"),
     ("public_url", "http://growth.example"), ("public_url", "https://growth.example/x"), ("public_url", "growth")],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_refused_and_named(name, value):
    with pytest.raises(SettingsError, match=f"GROWTH_{name.upper()}"):
        read_settings(**NETWORK, **WHOLE | {name: value})


def test_without_the_packages_the_way_out_is_said(monkeypatch):
    monkeypatch.setattr(provider_module, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"\[oidc\]"):
        provider_module.provider_of(Settings(**NETWORK, **WHOLE))
    assert provider_module.provider_of(Settings()) is None


def test_a_clock_a_little_off_is_no_reason_to_refuse(school, identity):
    identity.claims = {"iat": int(time.time()) + 30, "exp": int(time.time()) - 30}
    assert sign_in(a_browser(school), identity).status_code == 303
