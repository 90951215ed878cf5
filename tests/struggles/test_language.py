import pytest

from recommender.struggles.language import is_other_language
from recommender.training.corpus import REAL, REAL_DEV, WRITTEN, load_rows

OTHER_LANGUAGES = {
    "Arabic": "طلابي يتحدثون طوال الوقت بينما أشرح الدرس ولا أعرف كيف أجعلهم يستمعون إليّ.",
    "Chinese": "我讲课的时候学生一直在说话,我不知道怎样才能让他们安静下来听我讲。",
    "French": "Mes élèves bavardent sans arrêt pendant que j'explique la leçon et je ne sais plus comment les calmer.",
    "German": "Meine Schüler reden ständig, während ich etwas erkläre, und ich weiß nicht, wie ich Ruhe schaffen soll.",
    "Haitian": "Elèv mwen yo ap pale tout tan pandan m ap esplike leson an e mwen pa konnen ki jan pou m fè yo koute.",
    "Hindi": "जब मैं पाठ समझाता हूँ तो मेरे छात्र लगातार बातें करते रहते हैं और मुझे नहीं पता कि उन्हें कैसे शांत करूँ।",
    "Indonesian": "Murid-murid saya selalu berbicara ketika saya menjelaskan pelajaran dan saya tidak tahu caranya.",
    "Polish": "Moi uczniowie cały czas rozmawiają, kiedy tłumaczę lekcję, i nie wiem, jak sprawić, żeby mnie słuchali.",
    "Portuguese": "Os meus alunos conversam o tempo todo enquanto explico a matéria e já não sei o que fazer.",
    "Russian": "Мои ученики всё время разговаривают, пока я объясняю урок, и я не знаю, как добиться тишины.",
    "Spanish": "Mis alumnos hablan todo el tiempo mientras explico la lección y no sé cómo conseguir que me escuchen.",
    "Turkish": "Öğrencilerim ben dersi anlatırken sürekli konuşuyor ve beni nasıl dinleteceğimi bilmiyorum.",
    "Vietnamese": "Học sinh của tôi nói chuyện suốt trong khi tôi giảng bài và tôi không biết làm thế nào.",
}


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_a_struggle_in_another_language_is_known_for_one(language):
    assert is_other_language(OTHER_LANGUAGES[language])


@pytest.mark.parametrize("language", OTHER_LANGUAGES)
def test_another_language_is_known_in_capitals_and_across_lines(language):
    words = OTHER_LANGUAGES[language].split()
    lines = [" ".join(words[i : i + 4]) for i in range(0, len(words), 4)]
    assert is_other_language("\n".join(lines))
    assert is_other_language(" ".join(words).upper())


@pytest.mark.parametrize(
    "text",
    [
        "Two of my newcomers only say 'no entiendo, maestra' and 'ya terminé', and I can't tell what they understood.",
        "My class sings Frère Jacques and then nobody will say 'je m'appelle' out loud to a partner.",
        "In German class they write 'ich habe gegangen' every time, even after we drill the rule.",
        "Kids keep saying 安静 to each other in a silly voice when I ask for quiet, and then everyone laughs.",
        "José, Łukasz and Nguyễn never raise a hand, and I only hear from the same three girls.",
    ],
)
def test_english_with_foreign_words_in_it_is_english(text):
    assert not is_other_language(text)


@pytest.mark.parametrize(
    "text",
    [
        "My students no listen when I explain. I say many time be quiet but they speaking with friends.",
        "I am teacher new in this country. Kids make noise all the lesson, I not know how to do for they work.",
        "In my class is thirty five student and they no want write. What I can do for help them.",
        "pls help my 6b they dont do nothing i ask they just laffing n talkin",
    ],
)
def test_the_english_of_somebody_new_to_it_is_english(text):
    assert not is_other_language(text)


@pytest.mark.parametrize("text", ["tiktok. in the front row. in my face", "b and d still swapped in may, every day"])
def test_english_is_english_with_a_line_for_every_word_and_in_capitals(text):
    assert not is_other_language(text.replace(" ", "\n"))
    assert not is_other_language(text.upper())


@pytest.mark.parametrize(
    "text", ["", " ", "?!", "123 456", "ok", "help", "they dont listen", "noisy class", "se pelean"]
)
def test_a_text_too_short_to_tell_is_left_to_the_other_screens(text):
    assert not is_other_language(text)


@pytest.mark.parametrize("text", ["学生不听课", "Они шумят", "생각하지 않아요", "الطلاب يتحدثون", "बच्चे शोर करते हैं"])
def test_a_few_characters_of_a_script_english_never_uses_are_enough(text):
    assert is_other_language(text)


def test_a_single_foreign_name_is_not_enough():
    assert not is_other_language("Юля")
    assert not is_other_language("😀😀😀😀😀")


def test_no_text_teachers_wrote_is_taken_for_another_language():
    rows = [row for file in (*REAL, REAL_DEV, WRITTEN) for row in load_rows(file) if row.status == "rankable"]
    assert [row.id for row in rows if is_other_language(row.text)] == []
