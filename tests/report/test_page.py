import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from cellgan.report import page

HOSTILE = "<img src=x onerror=alert(1)>\"'&</script><script>alert(2)</script>"


class Elements(HTMLParser):
    """Every element of a document with its attributes, and whether each was closed in turn."""

    VOID = ("meta", "img")

    def __init__(self, text):
        super().__init__()
        self.found, self.open, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def whole_page(word: str) -> page.Page:
    """Give a page with every kind of block, the word in each place that holds words."""
    drawing = Markup('<svg viewBox="0 0 1 1" role="img" aria-label="a drawing"></svg>')
    figure = page.Figure(drawing, word, word, word)
    columns = (page.Column(word), page.Column(word, sortable=False, look="number"))
    rows = ((page.Cell(word, anchor="here"), page.Cell(word, 1.5)), (page.Cell(drawing), page.Cell(word)))
    inner = (
        page.Banner("poor", word, word),
        page.Notes(word, (word, word)),
        page.Text(word),
        page.Link(word, "here"),
        page.Tiles((page.Tile(word, word, word),)),
        page.Legend(((drawing, word),)),
        page.Gallery((figure,), "small"),
        page.Table(word, columns, rows, frozenset({0})),
        page.Terms(((word, word),)),
        page.Details(word, (page.Text(word),)),
    )
    return page.Page(word, word, word, (page.Section(word, (page.Section(word, inner),), "here"),), word)


def test_words_stay_words():
    elements = Elements(page.render(whole_page(HOSTILE)))
    assert elements.open == []
    assert not any(tag == "img" for tag, _ in elements.found)
    assert sum(tag == "script" for tag, _ in elements.found) == 1
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    # The word shows, unharmed, in all 31 places, and once as the name of the table's box.
    assert "".join(elements.words).count(HOSTILE) == 31
    assert [a["aria-label"] for tag, a in elements.found if a.get("role") == "region"] == [HOSTILE]


def test_only_drawings_pass_as_they_are():
    text = page.render(page.Page("t", "k", "s", (page.Text("<svg></svg>"),), "f"))
    assert "&lt;svg&gt;" in text
    assert "<svg>" not in text


def test_page_fetches_nothing():
    text = page.render(whole_page("x"))
    for _, attributes in Elements(text).found:
        assert "src" not in attributes
        assert attributes.get("href", "#here") == "#here"
    assert "://" not in text
    assert "url(" not in text
    assert "@import" not in text


def test_policy_allows_the_pages_own_script_only():
    text = page.render(whole_page("x"))
    script = re.search(r"<script>(.*?)</script>", text, flags=re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_headings_nest():
    text = page.render(whole_page("x"))
    assert re.findall(r"<(h\d)", text) == ["h1", "h2", "h3"]


def test_cells_carry_what_they_are_sorted_by():
    elements = Elements(page.render(whole_page("x"))).found
    cells = [attributes for tag, attributes in elements if tag == "td"]
    assert [cell.get("data-key") for cell in cells] == [None, "1.5", None, None]
    assert [tag for tag, _ in elements].count("button") == 1


@pytest.mark.parametrize("tone", ["good", "caution", "poor", "neutral"])
def test_every_tone_has_a_sign_besides_its_colour(tone):
    text = page.render(page.Page("t", "k", "s", (page.Banner(tone, "h", "t"),), "f"))
    sign = re.search(r'<span class="mark" aria-hidden="true">(.)</span>', text)[1]
    assert sign == {"good": "✓", "caution": "!", "poor": "✕", "neutral": "="}[tone]


def test_same_page_same_text():
    assert page.render(whole_page("x")) == page.render(whole_page("x"))
