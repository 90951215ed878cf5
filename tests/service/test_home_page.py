from __future__ import annotations

import html
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from recommender.cases import INTENDED_USE
from recommender.catalogue.subjects import SUBJECTS
from service.app import STATIC_FOLDER
from service.pages.form import MINUTES
from service.pages.strings import page_strings

STRUGGLE = "The same three hands go up every time I ask a question, and <the rest> of the class just waits & stares."
VOID = {"meta", "link", "input", "br"}


def send(client, **fields):
    return client.post("/", data={"struggle": STRUGGLE, **fields})


def visible(page):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<head>.*?</head>", " ", page))).split())


@pytest.fixture
def form_page(client):
    return client.get("/").text


@pytest.fixture
def result_page(client):
    return send(client).text


class Outline(HTMLParser):
    """Elements as (name, attributes), and a check that they are nested well."""

    def __init__(self, page):
        super().__init__()
        self.elements = []
        self._open = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def all(self, *tags):
        return [attributes for tag, attributes in self.elements if tag in tags]


def test_the_page_asks_one_question_says_how_long_it_takes_and_warns_about_names(form_page):
    text = visible(form_page)
    assert "Think of a moment this week that did not go as planned." in text
    assert "About 2 minutes" in text
    assert "leave out names" in text
    assert INTENDED_USE in text


def test_only_the_box_must_be_filled(form_page):
    fields = Outline(form_page).all("input", "select", "textarea")
    assert [field["name"] for field in fields if "required" in field] == ["struggle"]
    assert {field["name"] for field in fields} == {"struggle", "grade_band", "subject", "minutes"}


def test_the_answer_is_up_to_three_skills_each_with_a_quote_a_step_minutes_and_words(result_page, served_model):
    text = visible(result_page)
    catalogue = served_model.recommender.catalogue
    names = re.findall(r"<h2>([^<]+)</h2>", result_page)
    shown = [skill for skill in catalogue if html.escape(skill.name, quote=False).replace("'", "&#39;") in names]
    assert 1 <= len(shown) <= 3
    for skill in shown:
        assert " ".join(skill.first_step.split()) in text
        assert f"About {skill.minutes_per_week} minutes a week" in text
        assert page_strings()["evidence"][skill.evidence.level] in text
        assert skill.look_fors[0] in text
    assert text.count("Why this?") == len(shown)
    assert "You wrote “" in text
    assert INTENDED_USE in text


def test_an_answer_shows_no_number_of_the_model_and_no_rubric_code(result_page):
    text = visible(result_page)
    assert "%" not in text
    assert not re.search(r"\d\.\d", text)
    assert not re.search(r"\b[1-4][a-f]\b|SWD-|danielson|HLP", text, re.IGNORECASE)


def test_the_words_stay_in_the_box_and_the_taps_stay_tapped(client):
    outline = Outline(send(client, grade_band="middle", subject="science", minutes="60").text)
    assert [i["value"] for i in outline.all("input") if "checked" in i] == ["middle", "60"]
    assert [o["value"] for o in outline.all("option") if "selected" in o] == ["science"]
    page = send(client).text
    box = re.search(r"(?s)<textarea[^>]*>\n(.*?)</textarea>", page)
    assert box is not None
    assert html.unescape(box[1]) == STRUGGLE


def test_what_a_teacher_wrote_is_shown_as_text_and_never_run(client):
    page = client.post("/", data={"struggle": "</textarea><script>alert(1)</script> They shout out all the time."}).text
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_minutes_that_were_tapped_are_kept_to(client, served_model):
    page = send(client, minutes="15").text
    minutes = [int(number) for number in re.findall(r"About (\d+) minutes a week", page)]
    assert minutes
    assert max(minutes) <= 15
    assert "15 minutes a week or less" in page


def test_text_that_cannot_be_ranked_is_answered_with_a_kind_message(client):
    answer = client.post("/", data={"struggle": "Bad day."})
    assert answer.status_code == 200
    assert "Tell us a little more" in answer.text
    assert 'class="cards"' not in answer.text
    assert "Bad day." in answer.text


def test_text_about_safety_is_answered_with_whom_to_talk_to_and_nothing_else(client, settings):
    answer = client.post(
        "/", data={"struggle": "A student told me that her uncle hits her and that she is scared to go home."}
    )
    assert "Please talk to a person now" in answer.text
    assert settings.safeguarding_contact in visible(answer.text)
    assert 'class="cards"' not in answer.text


@pytest.mark.parametrize(("text", "message"), [("", "write a few words"), ("a" * 4_001, "longer than 4,000")])
def test_a_box_that_cannot_be_used_is_explained_beside_it(client, text, message):
    answer = client.post("/", data={"struggle": text})
    assert answer.status_code == 422
    assert message in answer.text
    box = Outline(answer.text).all("textarea")[0]
    assert box["aria-invalid"] == "true"
    assert "error" in box["aria-describedby"].split()
    assert "<title>Please check" in answer.text


def test_a_form_from_another_site_is_refused_in_plain_words(client):
    headers = {"Sec-Fetch-Site": "cross-site", "Accept": "text/html"}
    answer = client.post("/", data={"struggle": STRUGGLE}, headers=headers)
    assert answer.status_code == 403
    assert "open this page yourself" in answer.text
    assert STRUGGLE not in answer.text


def test_an_answer_is_not_kept_by_the_browser(client):
    assert send(client).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("page", ["form_page", "result_page"])
def test_a_page_needs_no_script_and_no_other_site(page, request):
    outline = Outline(request.getfixturevalue(page))
    assert outline.all("script", "iframe", "object", "style") == []
    for attributes in outline.all("link", "img", "form", "a"):
        assert (attributes.get("href") or attributes.get("src") or attributes.get("action")).startswith(("/", "#"))
    assert not any(name == "style" or name.startswith("on") for _, attrs in outline.elements for name in attrs)
    assert "@import" not in (STATIC_FOLDER / "style.css").read_text()
    assert "url(" not in (STATIC_FOLDER / "style.css").read_text()


@pytest.mark.parametrize("page", ["form_page", "result_page"])
def test_every_field_has_a_label_and_headings_do_not_skip_a_level(page, request):
    text = request.getfixturevalue(page)
    outline = Outline(text)
    labelled = {label["for"] for label in outline.all("label") if "for" in label}
    for field in outline.all("textarea", "select"):
        assert field["id"] in labelled
    assert text.count('<label class="tap"><input') == len(outline.all("input"))
    assert len(outline.all("legend")) == len(outline.all("fieldset")) == 2
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert outline.all("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def luminance(color):
    def linear(part):
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(int(color[i : i + 2], 16) / 255) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first, second):
    """WCAG 2.2 contrast ratio of two colours."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_black_on_white_has_the_contrast_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(scheme):
    style = (STATIC_FOLDER / "style.css").read_text()
    palettes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", palettes[scheme == "dark"]))
    for ink in ("text", "quiet", "accent", "warn", "error"):
        for ground in ("ground", "panel"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
    assert contrast(colours["on-accent"], colours["accent"]) >= 4.5
    assert contrast(colours["text"], colours["soft"]) >= 4.5
    assert contrast(colours["line"], colours["panel"]) >= 3


def texts(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    else:
        yield str(value).lower()


def test_the_words_are_a_teachers_own():
    said = " ".join(texts(page_strings()))
    for word in (r"\bai\b", "deficit", "weakness", "weak", "algorithm"):
        assert not re.search(word, said), word
    # Scores of lessons are named where they are shown and explained, and nowhere beside a skill to try.
    sections = ("intro", "form", "result", "card", "confidence", "evidence_notes", "pushes", "moments")
    assert "score" not in " ".join(texts([page_strings()[section] for section in sections]))


def test_every_subject_of_the_closed_list_can_be_tapped():
    assert set(page_strings()["subjects"]) == set(SUBJECTS) - {"unknown"}
    assert len(MINUTES) == 4
