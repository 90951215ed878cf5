"""A page as its reader has it: the words on it, and its forms with what they would send."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser


def visible(page: str) -> str:
    """The words of a page, without its head and its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?s)<head>.*?</head>", " ", page))).split())


@dataclass
class PageForm:
    """A form, the fields a browser would send with it, and what is offered in each select."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self._select = self._textarea = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "form":
            self.forms.append(PageForm(found["action"]))
        if not self.forms:
            return
        fields = self.forms[-1].fields
        if tag == "input" and (found.get("type") not in ("radio", "checkbox") or "checked" in found):
            fields[found["name"]] = found.get("value", "")
        elif tag == "select":
            self._select = found["name"]
            self.forms[-1].options[self._select] = []
        elif tag == "option":
            offered = self.forms[-1].options[self._select]
            offered.append(found["value"])
            if len(offered) == 1 or "selected" in found:
                fields[self._select] = found["value"]
        elif tag == "textarea":
            self._textarea = found["name"]
            fields[self._textarea] = ""

    def handle_data(self, data):
        if self._textarea:
            self.forms[-1].fields[self._textarea] += data

    def handle_endtag(self, tag):
        if tag == "textarea":
            name, self._textarea = self._textarea, ""
            # A browser drops the first line feed.
            self.forms[-1].fields[name] = self.forms[-1].fields[name].removeprefix("\n")


def forms(page: str, path_end: str) -> list[PageForm]:
    """The forms of a page whose action ends so."""
    return [form for form in _Forms(page).forms if form.action.endswith(path_end)]


def form(page: str, path_end: str, **fields: str) -> PageForm:
    """The one form of a page whose action ends so and that would send these fields."""
    found = [form for form in forms(page, path_end) if fields.items() <= form.fields.items()]
    assert len(found) == 1, (path_end, fields, len(found))
    return found[0]
