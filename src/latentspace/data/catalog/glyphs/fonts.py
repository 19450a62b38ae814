"""Which font files there are, which of them hold the letters A-J, and which are one design.

A file is judged by what it draws, not by its name: ten capitals that are there, differ, stand on one line
at one height, and, at the code points of plain letters, look more like A-J than like each other. So fonts
of brackets and ornaments fall out. Besides plain A-J, the mathematical alphabets of Unicode are taken:
script, fraktur, double-struck, sans-serif and monospaced capitals are designs of their own.

A family is what must stay on one side of a split. Faces are one family
- when they share a name, weights and slants aside; `ONE_DESIGN` adds what names hide;
- when they are one kind of ornate mathematical letter: any script, any fraktur, any double-struck;
- when six of their ten letters, stretched to one box, correlate by `SAME_SHAPE`: clones and copies.

What that leaves apart was measured on rendered sets: an image's nearest neighbour in its own family is
nearer than in any other family, by a twentieth at least. Only the typewriter letters of STIX and of Computer
Modern could not be told apart (0.267 inside each, 0.267 across, root mean square a pixel), so they are
one. Still, the H of one sans-serif resembles the H of another, as in notMNIST.
"""

import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageFont, features
from PIL import __version__ as pillow_version
from scipy.sparse.csgraph import connected_components

from ....core.atomic_files import expanded
from ....core.errors import DataError
from ....core.wording import counted
from .letter import Alphabet, Bytes, ink, load

SAME_SHAPE = 0.96
LIKENESS = 0.05  # plain letters measure 0.16 and more, the brackets of cmex10 -0.02
PIXELS = 96  # per em, to look at a face
ENDINGS = (".ttf", ".otf", ".ttc")
PILLOWS_OWN = ""  # the path that `lettering.load` takes for the font inside Pillow

# The first code points: kind, A. Where Unicode had the letter before, the alphabet has a hole.
ALPHABETS = (
    ("", 0x41),
    ("script", 0x1D49C),
    ("script", 0x1D4D0),
    ("fraktur", 0x1D504),
    ("fraktur", 0x1D56C),
    ("double-struck", 0x1D538),
    ("sans-serif", 0x1D5A0),
    ("sans-serif", 0x1D5D4),
    ("sans-serif", 0x1D608),
    ("sans-serif", 0x1D63C),
    ("monospaced", 0x1D670),
)
ORNATE = ("script", "fraktur", "double-struck")
HOLES = {
    0x1D49D: 0x212C,  # script B, E, F, H, I
    0x1D4A0: 0x2130,
    0x1D4A1: 0x2131,
    0x1D4A3: 0x210B,
    0x1D4A4: 0x2110,
    0x1D506: 0x212D,  # fraktur C, H, I
    0x1D50B: 0x210C,
    0x1D50C: 0x2111,
    0x1D53A: 0x2102,  # double-struck C, H
    0x1D53F: 0x210D,
}
NO_CHARACTER = "\U0010ffff"  # Unicode promises that this is none: a font draws its sign for a missing one
ONE_DESIGN = {
    **dict.fromkeys(("cmr10", "cmb10", "cmti10", "cmmi10"), "Computer Modern"),
    **dict.fromkeys(("cmtt10", "STIXGeneral monospaced"), "Typewriter"),
    "cmss10": "Computer Modern Sans",
    "cmsy10": "Computer Modern Calligraphic",
    "DejaVu Sans Mono": "DejaVu Sans",
}
STYLES = re.compile(
    r"[ -](thin|hairline|(extra|ultra|semi|demi)? ?(light|bold|black|condensed|expanded)|book|regular|roman|"
    r"medium|demi|heavy|italic|oblique|narrow|wide|display|caption|text)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Typefaces:
    """What can be drawn with: `family[i]` numbers the family of `alphabets[i]`, named in `names`."""

    alphabets: tuple[Alphabet, ...]
    family: tuple[int, ...]
    names: tuple[str, ...]
    ornate: tuple[bool, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Look:
    """An alphabet and its design's name; its letters, each stretched to one box, of mean 0 and norm 1."""

    alphabet: Alphabet
    design: str
    ornate: bool
    shapes: Float[np.ndarray, "10 pixels"]


def font_files(fonts: str) -> list[tuple[str, Path]]:
    """Each font file under the name that orders it: "bundled", "system", or those below a directory.

    Raises:
        DataError: no such directory, or no font file in it.
    """
    if fonts == "bundled":
        found = importlib.util.find_spec("matplotlib")  # found, not imported
        places = (found.submodule_search_locations if found else None) or []
        folders = [Path(place) / "mpl-data/fonts/ttf" for place in places]
    else:
        folders = _system_folders() if fonts == "system" else [expanded(Path(fonts))]
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


def _system_folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    if os.name == "nt":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        return [Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts", local / "Microsoft/Windows/Fonts"]
    data = Path(os.environ.get("XDG_DATA_HOME", home / ".local/share"))
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), data / "fonts", home / ".fonts"]


def files_hash(fonts: str) -> str:
    """SHA-256 of the font files' names and bytes, and of the versions that draw them.

    Raises:
        DataError: as `font_files`.
    """
    digest = hashlib.sha256(f"{pillow_version}/{features.version('freetype2')}".encode())
    for name, path in font_files(fonts):
        digest.update(f"\n{name}/".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def typefaces(fonts: str) -> Typefaces:
    """The alphabets of "bundled" (Pillow's own font with them), "system" or a directory, by family.

    Raises:
        DataError: as `font_files`, or no file draws the letters A-J.
    """
    return _bundled() if fonts == "bundled" else _chosen(fonts)


@lru_cache(maxsize=1)
def _bundled() -> Typefaces:
    return _chosen("bundled")  # these do not change while the program runs


def _chosen(fonts: str) -> Typefaces:
    looks: dict[bytes, _Look] = {}
    left_out = []
    own = [("Pillow", PILLOWS_OWN)] if fonts == "bundled" else []
    for name, path in [(path.name, str(path)) for _, path in font_files(fonts)] + own:
        drawn = list(_alphabets(path))
        for pictures, look in drawn:
            looks.setdefault(pictures, look)  # a second copy of a face adds nothing
        if not drawn:
            left_out.append(name)
    if not looks:
        raise DataError(
            "at least one font must draw the letters A-J",
            found=f"{counted(len(left_out), 'font file')} in {fonts}, "
            "none with ten capitals that can be told apart",
            do="name a directory with text fonts, or leave it at the bundled ones",
        )
    ordered = list(looks.values())
    family = _families(ordered)
    first = [ordered[family.index(number)] for number in range(max(family) + 1)]
    return Typefaces(
        alphabets=tuple(look.alphabet for look in ordered),
        family=tuple(family),
        names=tuple(look.design for look in first),
        ornate=tuple(look.ornate for look in first),
        left_out=tuple(left_out),
    )


def _alphabets(path: str) -> Iterator[tuple[bytes, _Look]]:
    """The alphabets of each face in a file, and the bytes of their pictures; none if it is no font."""
    index = 0
    while True:
        try:
            font = load(path, index, PIXELS)
            missing = ink(font, NO_CHARACTER, PIXELS)[0]
        except OSError:  # past the last face, damaged, or pictures of one size only
            return
        name = font.getname()[0] or Path(path).stem
        for kind, first in ALPHABETS:
            letters = "".join(chr(HOLES.get(first + place, first + place)) for place in range(10))
            drawn = _letters(font, letters, missing)
            if drawn is None:
                continue
            shapes = _stretched(drawn)
            if not kind and _likeness(shapes) < LIKENESS:
                continue
            look = _Look(Alphabet(path, index, letters), _design(name, kind), kind in ORNATE, shapes)
            yield b"/".join(picture.tobytes() for picture in drawn), look
        if not path.lower().endswith(".ttc"):
            return
        index += 1


def _letters(font: ImageFont.FreeTypeFont, letters: str, missing: Bytes) -> list[Bytes] | None:
    """The ten pictures, if each is there, they differ, and they stand on one line at one height."""
    drawn: list[tuple[Bytes, int]] = []
    for letter in letters:
        picture, top = ink(font, letter, PIXELS)
        if not picture.size or np.array_equal(picture, missing):
            return None
        drawn.append((picture, top))
    tops = np.array([top for _, top in drawn])
    bottoms = tops - [len(picture) for picture, _ in drawn]
    capital = float(np.median(tops))
    stands = (np.abs(tops - capital) <= 0.2 * capital) & (np.abs(bottoms) <= 0.45 * capital)
    different = len({picture.tobytes() for picture, _ in drawn})
    return [picture for picture, _ in drawn] if stands.sum() >= 8 and different == 10 else None


def _stretched(pictures: list[Bytes]) -> Float[np.ndarray, "10 pixels"]:
    box = Image.Resampling.BOX
    rows = [
        np.asarray(Image.fromarray(one).resize((24, 24), box), dtype=np.float64).ravel() for one in pictures
    ]
    shapes = np.stack(rows)
    shapes -= shapes.mean(axis=1, keepdims=True)
    shapes /= np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-9)  # a full box has none
    return shapes


def _likeness(shapes: Float[np.ndarray, "10 pixels"]) -> float:
    """How much more the letters correlate with their namesakes in Pillow's font than with its other nine."""
    font = load(PILLOWS_OWN, 0, PIXELS)
    table = shapes @ _stretched([ink(font, letter, PIXELS)[0] for letter in "ABCDEFGHIJ"]).T
    same = float(np.trace(table))
    return same / 10 - (float(table.sum()) - same) / 90


def _design(name: str, kind: str) -> str:
    if kind in ORNATE:
        return f"mathematical {kind}"
    design = f"{STYLES.sub('', name).strip() or name} {kind}".strip()
    return ONE_DESIGN.get(design, design)


def _families(looks: list[_Look]) -> list[int]:
    """A number for each alphabet, the same for those of one design, from 0 in order of appearance."""
    designs = np.array([look.design for look in looks])
    together = designs[:, None] == designs
    alike = np.zeros(together.shape, dtype=np.int8)
    for letter in range(10):
        shapes = np.stack([look.shapes[letter] for look in looks])
        alike += shapes @ shapes.T >= SAME_SHAPE
    _, numbers = connected_components(together | (alike >= 6), directed=False)
    order = list(dict.fromkeys(numbers.tolist()))
    return [order.index(number) for number in numbers.tolist()]
