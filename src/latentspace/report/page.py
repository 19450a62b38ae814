"""One HTML document that holds all it shows: text, tables and pictures; it asks the network for nothing."""

import base64
import re
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from PIL import Image

from ..core.errors import DataError
from ..core.printable import printable
from ..core.wording import counted
from .gallery import Gallery

if TYPE_CHECKING:
    from jinja2 import Environment

Part = TypeVar("Part")

# What is set flush right: "0.0312", "12,345", "−3.1 ± 0.2", "89.6 %", "3e-4", and a dash for nothing.
_NUMBER = r"[+\-\N{MINUS SIGN}]?[\d,]*\.?\d+(e[+\-]?\d+)?"
_NUMERIC = re.compile(rf"(({_NUMBER})( ?± ?{_NUMBER})?( ?%)?|[\N{{EN DASH}}\N{{EM DASH}}-]?)", re.IGNORECASE)

# An option, and its value where that has a digit or is a setting: "--epochs 20", "--set model.code_size=4".
_OPTION = re.compile(r"(--\w[\w-]*(?: [\w.]*\d(?:[\w.]*\w)?| [\w.]+=\S*\w)?)")


@dataclass(frozen=True)
class Picture:
    """A figure with its caption.

    Args:
        number: the figure's number, or None for a picture without one.
        title: what it shows, a few words.
        caption: what exactly, in sentences.
        png: the image, made for a screen of twice the usual density.
        alt: what a reader who cannot see it needs to know.
        numbers: what was drawn, as rows of which the first names the columns; for a CSV file.

    Raises:
        DataError: `png` is no PNG.
    """

    number: str | None
    title: str
    caption: str
    png: bytes = field(repr=False)
    alt: str
    numbers: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        try:
            with Image.open(BytesIO(self.png), formats=["PNG"]) as image:
                image.verify()
        except (OSError, SyntaxError) as error:  # Pillow raises the latter for a broken PNG
            raise DataError(
                "a picture of the page must be a PNG",
                found=f"{counted(len(self.png), 'byte')} that are no PNG ({self.title})",
                do="make it with latentspace.figures.png",
            ) from error

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in CSS pixels: half the image's own."""
        with Image.open(BytesIO(self.png)) as image:
            return max(1, image.width // 2), max(1, image.height // 2)

    @property
    def file_name(self) -> str:
        """Without a suffix: figure-07, or the title in small letters with hyphens."""
        if self.number is not None and self.number.isdigit():
            return f"figure-{int(self.number):02}"
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-") or "picture"

    @property
    def address(self) -> str:
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row.

    Raises:
        DataError: a row that is not as long as the columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise DataError(
                    f"each row of the table {self.title!r} must have one cell for each of its columns",
                    found=f"{counted(len(row), 'cell')} for {counted(len(self.columns), 'column')}, "
                    f"in the row {row!r}",
                    do="fill the empty cells with a dash",
                )

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which columns hold numbers alone; those are set flush right."""
        cells = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return tuple(bool(column) and all(map(_NUMERIC.fullmatch, column)) for column in cells)


@dataclass(frozen=True)
class Section:
    """A part of the page: its paragraphs and commands, then its tables, pictures, galleries, and links.

    Args:
        commands: lines to type, one below the other.
        galleries: grids of images with captions.
        links: to pages beside this one: (words, relative address).
        grid: whether the pictures stand beside each other where there is room, each under its title.
    """

    title: str
    text: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()
    galleries: tuple[Gallery, ...] = field(default=(), kw_only=True)
    commands: tuple[str, ...] = field(default=(), kw_only=True)
    links: tuple[tuple[str, str], ...] = ()
    grid: bool = field(default=False, kw_only=True)

    @property
    def numbered(self) -> bool:
        return any(picture.number is not None for picture in self.pictures)


@dataclass(frozen=True)
class Finding:
    """What was found, in plain words.

    Args:
        headline: a few words.
        text: how that shows, with the numbers.
        good: True, False, or None where it is neither.
        advice: what to try, or nothing.
        section: the title of the section that shows it, or nothing.
    """

    headline: str
    text: str
    good: bool | None = None
    advice: str = ""
    section: str = field(default="", kw_only=True)

    @property
    def advice_parts(self) -> tuple[tuple[str, bool], ...]:
        """The advice in pieces, and of each whether it belongs on a command line."""
        pieces = _OPTION.split(self.advice)
        return tuple((piece, number % 2 == 1) for number, piece in enumerate(pieces) if piece)


@dataclass(frozen=True)
class Page:
    """What the page says, from top to bottom.

    Args:
        title: of the document.
        lead: what was found, in a paragraph.
        findings: what that comes to, the most important first.
        notices: what a reader must know before any number, each set apart and loud.
        sections: the body.
        footer: what made the page: versions, seeds, hashes.
    """

    title: str
    lead: str
    findings: tuple[Finding, ...] = field(default=(), kw_only=True)
    notices: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    footer: tuple[str, ...] = ()

    @property
    def places(self) -> dict[str, int]:
        """The number of each section, from 1, by its title."""
        return {section.title: place for place, section in enumerate(self.sections, start=1)}

    @property
    def has_contents(self) -> bool:
        """Whether there is a list of the sections: where the findings do not lead to each of them."""
        return len(self.sections) > 1 and not set(self.places) <= {one.section for one in self.findings}


@cache
def _templates() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # here: evaluate needs pages' words alone

    return Environment(
        loader=PackageLoader("latentspace", "report"),
        autoescape=True,
        finalize=lambda value: printable(value) if type(value) is str else value,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def present(*found: Part | None) -> tuple[Part, ...]:
    """Those that are there."""
    return tuple(one for one in found if one is not None)


def numbered(page: Page) -> Page:
    """The page with its pictures numbered from 1, in their order."""
    numbers = count(1)
    return replace(
        page,
        sections=tuple(
            replace(
                section,
                pictures=tuple(replace(picture, number=str(next(numbers))) for picture in section.pictures),
            )
            for section in page.sections
        ),
    )


def render(page: Page) -> str:
    """The page as HTML: no script, nothing loaded, no link but to itself and `links`, all text escaped.

    No name turns the direction of the text around it, or breaks its line.
    """
    return _templates().get_template("page.html.j2").render(page=page)
