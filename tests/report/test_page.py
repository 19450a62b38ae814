"""The page: everything it is given stands on it, escaped; it asks for nothing that is not inside it."""

import base64
import re
from html.parser import HTMLParser
from io import BytesIO

import pytest
from jinja2 import UndefinedError
from PIL import Image

from latentspace.core.errors import DataError
from latentspace.report.page import Finding, Page, Picture, Section, Table, _templates, render

HOSTILE = "<script>alert(1)</script>\"'&"


def png(width: int = 40, height: int = 30) -> bytes:
    file = BytesIO()
    Image.new("L", (width, height), 200).save(file, "PNG")
    return file.getvalue()


def picture(number: str | None = "2", title: str = "The training", caption: str = "It fell.") -> Picture:
    return Picture(number, title, caption, png(), "a falling curve")


TABLE = Table(
    "Beside the report",
    ("measure", "ours", "the report's", "compare"),
    (("mse", "0.0301", "0.0272", "no"), ("accuracy", "89.6 %", "–", "yes")),
    "In float32.",
)


class Elements(HTMLParser):
    """Every element in order, with its attributes, and the text of the page; ends must match starts."""

    VOID = ("meta", "link", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.all: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.all.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def named(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.all if tag == name]


def full_page(text: str = "text") -> Page:
    table = Table(text, (text, "n"), ((text, "1"), (text, "2")), text)
    section = Section(text, (text,), (picture(text, text, text), picture(None, text, text)), (table,))
    return Page(text, text, (text,), (section, Section("Another", (), (picture(),), (TABLE,))), (text,))


def test_everything_given_is_on_the_page() -> None:
    page = Page(
        "A study",
        "It worked.",
        ("Made of glyphs: not comparable.",),
        (Section("Losses", ("A paragraph.",), (picture(),), (TABLE,)), Section("Codes")),
        ("version 1", "seed 0"),
    )
    words = " ".join(Elements(render(page)).words.split())
    for text in (
        "It worked. Made of glyphs: not comparable. Losses Figure 2 Codes",
        "Losses A paragraph. Beside the report measure ours the report's compare",
        "mse 0.0301 0.0272 no accuracy 89.6 % – yes In float32.",
        "Figure 2. The training. It fell.",
        "version 1 seed 0",
    ):
        assert text in words


def test_the_page_is_a_sound_document() -> None:
    elements = Elements(render(full_page()))
    assert elements.all[0] == ("html", {"lang": "en"})
    names = [tag for tag, _ in elements.all]
    for single in ("title", "h1", "main", "header", "footer", "nav"):
        assert names.count(single) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in elements.named("meta")
    assert names.count("figure") == names.count("figcaption") == 3
    identities = [attributes["id"] for _, attributes in elements.all if "id" in attributes]
    assert len(set(identities)) == len(identities)
    for link in elements.named("a"):
        assert str(link["href"]).removeprefix("#") in identities


def test_the_page_asks_for_nothing() -> None:
    html = render(full_page())
    elements = Elements(html)
    assert not re.search(r"https?://|@import|url\(|srcset|<script|<iframe|<object", html)
    for _, attributes in elements.all:
        assert (
            str(attributes.get("src", "data:")).startswith("data:image/png;base64,")
            or "src" not in attributes
        )
        assert str(attributes.get("href", "#")).startswith(("#", "data:image/png;base64,"))
        assert not any(name.startswith("on") for name in attributes)
    (policy,) = [meta for meta in elements.named("meta") if "http-equiv" in meta]
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_a_section_links_to_pages_beside_this_one() -> None:
    links = (("The <whole> report", "search-ae/report.html"),)
    elements = Elements(render(Page("t", "l", (), (Section("S", links=links),))))
    assert [one["href"] for one in elements.named("a")] == ["search-ae/report.html"]
    assert "The <whole> report" in elements.words


def test_the_icon_is_a_picture() -> None:
    (icon,) = Elements(render(Page("t", "l"))).named("link")
    assert icon["rel"] == "icon"
    content = base64.b64decode(str(icon["href"]).removeprefix("data:image/png;base64,"))
    with Image.open(BytesIO(content)) as image:
        image.load()
        assert image.size == (32, 32)


def test_all_text_is_escaped() -> None:
    plain, hostile = Elements(render(full_page("harmless"))), Elements(render(full_page(HOSTILE)))
    assert [tag for tag, _ in plain.all] == [tag for tag, _ in hostile.all]
    assert hostile.words.count(HOSTILE) == plain.words.count("harmless") > 10
    assert "<script" not in render(full_page(HOSTILE))


def test_a_picture_is_inside_the_page_at_half_its_pixels() -> None:
    content = png(1240, 801)
    shown = Picture(None, "A title", "A caption.", content, HOSTILE)
    (image,) = Elements(render(Page("t", "l", sections=(Section("s", pictures=(shown,)),)))).named("img")
    assert (image["width"], image["height"], image["alt"]) == ("620", "400", HOSTILE)
    assert base64.b64decode(str(image["src"]).removeprefix("data:image/png;base64,")) == content


def test_a_picture_without_a_number_has_none_on_the_page() -> None:
    page = Page("t", "l", sections=(Section("One", pictures=(picture(None), picture("7"))), Section("Two")))
    elements = Elements(render(page))
    assert re.findall(r"Figure \w+", elements.words) == ["Figure 7", "Figure 7"]
    assert [link["href"] for link in elements.named("a")] == ["#section-1", "#picture-1-2", "#section-2"]


def test_a_finding_leads_to_its_section() -> None:
    sections = Section("One"), Section("Two")
    found = tuple(Finding(one.title, "", section=one.title) for one in sections)
    page = render(Page("t", "l", findings=found, sections=sections))
    assert '<a href="#section-2">Two</a>' in page
    assert "<nav" not in page, "the findings lead to each"
    assert "<nav" in render(Page("t", "l", findings=found[:1], sections=sections))


def test_contents_are_listed_for_several_sections_only() -> None:
    assert "<nav" not in render(Page("t", "l", sections=(Section("One"),)))
    assert "<nav" in render(Page("t", "l", sections=(Section("One"), Section("Two"))))


def test_headers_name_their_columns_and_rows() -> None:
    elements = Elements(render(Page("t", "l", sections=(Section("s", tables=(TABLE,)),))))
    assert [header["scope"] for header in elements.named("th")] == ["col"] * 4 + ["row"] * 2
    assert ["class" in cell for cell in elements.named("td")] == [True, True, False] * 2


@pytest.mark.parametrize(
    ("cells", "numeric"),
    [
        (("0.0272", "–", ""), True),
        (("11,234", "−3", "+4.5e-3"), True),
        (("0.0301 ± 0.0012", "89.6 %"), True),
        (("3", "Adam"), False),
        (("60/20/20",), False),
        (("2021-02-02",), False),
        ((), False),
    ],
)
def test_columns_of_numbers_are_recognised(cells: tuple[str, ...], numeric: bool) -> None:
    assert Table("t", ("name", "value"), tuple(("a", cell) for cell in cells)).numeric == (False, numeric)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(DataError, match="1 cell for 2 columns"):
        Table("t", ("a", "b"), (("1", "2"), ("3",)))


@pytest.mark.parametrize("content", [b"", b"GIF89a", png()[:40], png()[:-20] + b"x" * 20])
def test_a_picture_that_is_no_png_is_refused(content: bytes) -> None:
    with pytest.raises(DataError, match="must be a PNG"):
        Picture("1", "t", "c", content, "a")


def test_the_looks_follow_the_reader() -> None:
    html = render(Page("t", "l"))
    for rule in ("prefers-color-scheme: dark", "@media print", "break-inside: avoid", "tabular-nums"):
        assert rule in html


def test_equal_pages_are_equal_documents() -> None:
    assert render(full_page()) == render(full_page())


def test_a_word_that_the_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        _templates().from_string("{{ page.nothing }}").render(page=Page("t", "l"))
