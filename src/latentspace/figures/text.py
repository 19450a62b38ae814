"""Text that a figure can show: what the fonts hold, how wide it is, where it breaks."""

from functools import cache

from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

# DejaVu Sans comes with matplotlib, so a figure looks the same everywhere. For class names in scripts that
# it lacks, the usual fonts of Linux, macOS and Windows are asked next, where they are installed.
_FIRST = "DejaVu Sans"
_NEXT = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Arial Unicode MS",
)
_MISSING = "\N{WHITE SQUARE}"


@cache
def families() -> tuple[str, ...]:
    installed = {font.name for font in fontManager.ttflist}
    return (_FIRST, *(name for name in _NEXT if name in installed))


@cache
def _files() -> tuple[str, ...]:
    return tuple(findfont(FontProperties(family=family)) for family in families())


@cache
def _characters() -> frozenset[int]:
    return frozenset(code for file in _files() for code in get_font(file).get_charmap())


def legible(text: str, limit: int = 24) -> str:
    """One line of at most `limit` characters; what no font here can show becomes a square."""
    line = " ".join(text.split())
    line = "".join(letter if ord(letter) in _characters() else _MISSING for letter in line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


DRAWN = 1.03  # times its width as it is measured, at most, since letters are set on whole pixels


def text_width(text: str, points: float) -> float:
    """Width of one line, in inches."""
    font = get_font(_files())
    font.set_size(points, 72)
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64 / 72  # FreeType counts in 64ths of a point


def wrapped(text: str, width: float, points: float) -> str:
    """The text broken between words into lines of at most `width` inches; a longer word stays whole."""
    lines: list[str] = []
    for word in legible(text, limit=2000).split():
        if lines and text_width(f"{lines[-1]} {word}", points) * DRAWN <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)
