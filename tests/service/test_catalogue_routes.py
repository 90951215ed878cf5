from __future__ import annotations

from recommender.catalogue.loader import load_catalogue


def test_the_list_holds_every_skill_in_catalogue_order(client):
    body = client.get("/v1/skills").json()
    assert [skill["id"] for skill in body["skills"]] == list(load_catalogue().ids)
    assert body["catalogue_version"] == load_catalogue().version
    assert set(body["skills"][0]) == {
        "id", "name", "domain", "domain_title", "summary", "minutes_per_week", "evidence"
    }  # fmt: skip


def test_the_list_can_be_cut_to_one_domain(client):
    skills = client.get("/v1/skills", params={"domain": "questioning-discourse"}).json()["skills"]
    assert skills
    assert {skill["domain"] for skill in skills} == {"questioning-discourse"}


def test_an_unknown_domain_is_refused_with_the_known_ones(client):
    answer = client.get("/v1/skills", params={"domain": "nowhere"})
    assert answer.status_code == 422
    assert "questioning-discourse" in answer.json()["errors"][0]["wanted"]


def test_a_skill_is_shown_in_full(client):
    skill = client.get("/v1/skills/cold-calling").json()
    assert skill["id"] == "cold-calling"
    assert len(skill["practice_cycle"]) == 4
    assert set(skill["crosswalk"]) == {"hlp", "teach", "danielson", "class"}


def test_every_listed_skill_can_be_shown(client):
    for skill in client.get("/v1/skills").json()["skills"]:
        assert client.get(f"/v1/skills/{skill['id']}").status_code == 200
