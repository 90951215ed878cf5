"""What a text on a page must not become: a tag, an attribute, a script, an address, a header."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

CANARY = "qzx7"
# Whoever computes what is between the braces writes this.
COMPUTED = str(7919 * 7919)
ADDRESSES = ("href", "src", "action", "formaction", "hx-post", "hx-get", "srcset", "data", "poster")
HEADERS = {
    "allow", "cache-control", "connection", "content-disposition", "content-length", "content-security-policy",
    "content-type", "cross-origin-opener-policy", "cross-origin-resource-policy", "etag", "hx-redirect", "location",
    "referrer-policy", "retry-after", "set-cookie", "www-authenticate", "x-content-type-options", "x-request-id",
}  # fmt: skip


class Markup(HTMLParser):
    """A page as a browser takes it apart: ``alien`` is what no template of ours writes."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.alien: list[str] = []
        self.values: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if CANARY in tag or (tag == "script" and "src" not in found) or tag in ("iframe", "object", "embed", "base"):
            self.alien.append(f"<{tag}>")
        for name, value in attrs:
            if CANARY in name or name.startswith("on") or name == "style":
                self.alien.append(f"{tag} {name}")
            is_ours = (value or "").startswith(("/", "#", "?", "mailto:"))
            if (name in ADDRESSES and not is_ours) or (value or "").startswith("//"):
                self.alien.append(f"{tag} {name}={value}")
            self.values.append(value or "")

    def handle_decl(self, decl: str) -> None:
        if decl != "doctype html":
            self.alien.append(f"<!{decl}>")

    def handle_comment(self, data: str) -> None:
        self.alien.append(f"<!--{data}-->")

    def unknown_decl(self, data: str) -> None:
        self.alien.append(f"<![{data}]>")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words of the page and all values of its fields, with single spaces."""
        return " ".join(" ".join([*self.words, "\n", *self.values]).split())


def alien(answer: Any) -> list[str]:
    """What is in an answer that no template, route or framework of ours put there."""
    found = [f"header {name}" for name in answer.headers if name not in HEADERS]
    found += [f"header {name}" for name, value in answer.headers.items() if "\n" in value or "\r" in value]
    found += [f"{name} twice" for name in set(answer.headers) if len(answer.headers.get_list(name)) > 1]
    if COMPUTED in answer.text:
        found.append("computed")
    if answer.headers.get("content-type", "").startswith("text/html"):
        found += Markup(answer.text).alien
    return found
