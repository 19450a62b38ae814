"""Which font files there are, and which of their faces draw the letters A-J.

A face is chosen by what it draws: ten capitals that are there, differ, and look more like A-J than like each
other, so fonts of brackets and ornaments fall out. Besides plain A-J, the mathematical alphabets of Unicode
are taken: script, fraktur, double-struck, sans-serif and monospaced capitals are designs of their own.
"""

import hashlib
import importlib.util
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path

import numpy as np
from PIL import Image, features
from PIL import __version__ as pillow_version

from ....core.errors import DataError
from ....core.wording import counted
from ...paths import expanded
from .letter import Face, ink, load

ENDINGS = (".ttf", ".otf", ".ttc")
PILLOWS_OWN = ""  # the path that `letter.load` takes for the font inside Pillow
SYSTEM = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    *("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    *("C:/Windows/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts"),
)
LETTERS = "ABCDEFGHIJ"
PIXELS = 96  # per em, to look at a face
LIKENESS = 0.05  # plain letters measure 0.16 and more, the brackets of cmex10 -0.02
NO_CHARACTER = "\U0010ffff"  # Unicode promises that this is none: a font draws its sign for a missing one
STYLES = (
    *("SCRIPT", "BOLD SCRIPT", "FRAKTUR", "BOLD FRAKTUR", "DOUBLE-STRUCK", "MONOSPACE"),
    *("SANS-SERIF", "SANS-SERIF BOLD", "SANS-SERIF ITALIC", "SANS-SERIF BOLD ITALIC"),
)


@dataclass(frozen=True)
class Typefaces:
    """What can be drawn with: `families[i]` names the family of `faces[i]`."""

    faces: tuple[Face, ...]
    families: tuple[str, ...]
    left_out: tuple[str, ...]


def font_files(fonts: str) -> list[tuple[str, Path]]:
    """Each font file under the name that orders it: "bundled", "system", or those below a directory.

    Raises:
        DataError: no such directory, or no font file in it.
    """
    if fonts == "bundled":
        found = importlib.util.find_spec("matplotlib")  # found, not imported
        folders = [
            Path(one) / "mpl-data/fonts/ttf" for one in (found and found.submodule_search_locations) or ()
        ]
    else:
        folders = [expanded(Path(one)) for one in (SYSTEM if fonts == "system" else (fonts,))]
    files = [
        (f"{number}/{path.relative_to(folder).as_posix()}", path)
        for number, folder in enumerate(folders)
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS and path.is_file()
    ]
    if files:
        return sorted(files)
    exists = any(folder.is_dir() for folder in folders)
    raise DataError(
        'fonts must be "bundled", "system", or a directory that holds .ttf, .otf or .ttc files',
        found=f"{fonts}: " + ("no such file in it" if exists else "no such directory"),
        do="name a directory of fonts, or leave it at the bundled ones",
    )


def files_hash(fonts: str) -> str:
    """SHA-256 of the names and bytes of the font files, and of the versions that draw them.

    Raises:
        DataError: as `font_files`.
    """
    digest = hashlib.sha256(f"{pillow_version}/{features.version('freetype2')}".encode())
    for name, path in font_files(fonts):
        digest.update(f"\n{name}/".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def typefaces(fonts: str) -> Typefaces:
    """The faces of "bundled" (Pillow's own font with them), "system" or a directory.

    Raises:
        DataError: as `font_files`, or no file draws the letters A-J.
    """
    return _bundled() if fonts == "bundled" else _chosen(fonts)


@lru_cache(maxsize=1)
def _bundled() -> Typefaces:
    return _chosen("bundled")  # these do not change while the program runs


def _chosen(fonts: str) -> Typefaces:
    found: dict[bytes, tuple[Face, str]] = {}
    left_out = []
    own = [("Pillow", PILLOWS_OWN)] if fonts == "bundled" else []
    for name, path in [(path.name, str(path)) for _, path in font_files(fonts)] + own:
        here = list(_faces(path))
        for drawn, face, family in here:
            found.setdefault(drawn, (face, family))  # a second copy of a face adds nothing
        if not here:
            left_out.append(name)
    if not found:
        raise DataError(
            "at least one font must draw the letters A-J",
            found=f"{counted(len(left_out), 'font file')} in {fonts}, "
            "none with ten capitals that can be told apart",
            do="name a directory with text fonts, or leave it at the bundled ones",
        )
    faces, families = zip(*found.values(), strict=True)
    return Typefaces(faces, families, tuple(left_out))


def _faces(path: str) -> Iterator[tuple[bytes, Face, str]]:
    """The faces in a file: what each draws, and the name of its family; none if it is no font."""
    for number in count() if path.lower().endswith(".ttc") else (0,):
        try:
            font = load(path, number, PIXELS)
            missing = ink(font, NO_CHARACTER)
        except OSError:  # past the last face, damaged, or pictures of one size only
            return
        family = font.getname()[0] or Path(path).stem
        for style in ("", *STYLES):
            letters = "".join(_character(style, letter) for letter in LETTERS)
            drawn = [one for letter in letters if (one := ink(font, letter)) is not None and one != missing]
            contents = [one.tobytes() for one in drawn]
            if len(set(contents)) == 10 and (style or _likeness(drawn) >= LIKENESS):
                design = re.sub("BOLD|ITALIC", "", style).strip().lower()
                yield b"/".join(contents), Face(path, number, letters), f"{family} {design}".strip()


def _character(style: str, letter: str) -> str:
    """The mathematical capital of a style; some had a name of their own before there was an alphabet."""
    if not style:
        return letter
    for name in (f"MATHEMATICAL {style}", style, "BLACK-LETTER"):
        try:
            return unicodedata.lookup(f"{name} CAPITAL {letter}")
        except KeyError:
            continue
    raise AssertionError(f"Unicode has no {style} {letter}")


def _likeness(letters: list[Image.Image]) -> float:
    """How much more the letters correlate with their namesakes in Pillow's font than with its other nine."""
    font = load(PILLOWS_OWN, 0, PIXELS)
    own = [one for letter in LETTERS if (one := ink(font, letter)) is not None]
    boxes = [np.asarray(one.resize((24, 24), Image.Resampling.BOX)).ravel() for one in (*letters, *own)]
    shapes = np.stack(boxes).astype(np.float64)
    shapes -= shapes.mean(axis=1, keepdims=True)
    shapes /= np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-9)  # an I can fill its box
    table = shapes[:10] @ shapes[10:].T
    same = float(np.trace(table))
    return same / 10 - (float(table.sum()) - same) / 90
