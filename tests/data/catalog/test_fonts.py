import shutil
from pathlib import Path

import numpy as np
import pytest

from latentspace.core.errors import DataError
from latentspace.data.catalog.glyphs import fonts
from latentspace.data.catalog.glyphs import render as glyphs
from latentspace.data.catalog.glyphs.fonts import font_files, typefaces
from latentspace.data.catalog.glyphs.letter import ink, load

BUNDLED = {path.name: path for _, path in font_files("bundled")}


def folder(tmp_path: Path, *names: str) -> str:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BUNDLED[Path(name).name], tmp_path / name)
    return str(tmp_path)


def test_fonts_without_letters_are_left_out():
    found = typefaces("bundled")
    used = {Path(face.path).name for face in found.faces if face.path}
    assert used | set(found.left_out) == set(BUNDLED)
    assert not used & set(found.left_out)
    assert {"cmex10.ttf", "LastResortHE-Regular.ttf", "STIXSizOneSymReg.ttf"} <= set(found.left_out)
    assert {"cmsy10.ttf", "cmmi10.ttf", "cmr10.ttf", "DejaVuSerif.ttf", "STIXGeneral.ttf"} <= used
    assert "" in {face.path for face in found.faces}  # the font inside Pillow


def test_every_face_has_ten_letters_that_are_there_and_differ():
    for face in typefaces("bundled").faces:
        font = load(face.path, face.number, 40)
        missing = ink(font, fonts.NO_CHARACTER)
        drawn = [ink(font, letter) for letter in face.letters]
        assert all(one is not None and one != missing and one.getextrema()[1] > 128 for one in drawn)
        assert len({one.tobytes() for one in drawn}) == 10


def test_the_families():
    found = typefaces("bundled")
    assert len(found.faces) == len(found.families) == 47
    assert len(set(found.families)) == 20
    family = {
        (Path(face.path).stem, face.letters[0]): name
        for face, name in zip(found.faces, found.families, strict=True)
    }
    assert {family[f"DejaVuSans{style}", "A"] for style in ("", "-Bold", "-Oblique")} == {"DejaVu Sans"}
    assert family["STIXGeneral", "A"] == family["STIXGeneralBol", "A"] == "STIXGeneral"
    assert family["STIXGeneral", "\U0001d49c"] == family["STIXGeneral", "\U0001d4d0"] == "STIXGeneral script"
    assert family["STIXGeneral", "\U0001d504"] == "STIXGeneral fraktur"
    assert family["cmr10", "A"] == "cmr10"
    assert "Aileron" in found.families


def test_mathematical_capitals_that_unicode_had_before_are_found():
    styles = ("SCRIPT", "FRAKTUR", "DOUBLE-STRUCK", "MONOSPACE")
    found = [fonts._character(style, "H") for style in styles]
    assert found == ["\u210b", "\u210c", "\u210d", "\U0001d677"]


def test_a_directory_is_searched_to_its_depths_and_copies_add_nothing(tmp_path):
    name = folder(tmp_path, "cmr10.ttf", "deep/down/cmss10.ttf", "again/cmr10.ttf", "cmex10.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "read.me").write_text("not a font either")
    found = typefaces(name)
    assert found.families == ("cmr10", "cmss10")
    assert sorted(found.left_out) == ["broken.ttf", "cmex10.ttf"]
    images = glyphs.render(60, fonts=name)
    assert images.source == "glyphs (rendered letters A-J from 2 font families; not notMNIST)"
    assert images.record.conversions == ("2 font files without letters A-J left out: broken.ttf, cmex10.ttf",)
    assert set(images.groups.tolist()) == {0, 1}


def test_where_the_fonts_stand_does_not_matter(tmp_path):
    here = folder(tmp_path / "here", "cmr10.ttf", "sub/cmss10.ttf")
    there = folder(tmp_path / "there", "cmr10.ttf", "sub/cmss10.ttf")
    np.testing.assert_array_equal(glyphs.render(30, fonts=here).pixels, glyphs.render(30, fonts=there).pixels)
    assert glyphs.fingerprint(here) == glyphs.fingerprint(there)


def test_the_fingerprint_follows_the_files_and_the_rendering(tmp_path, monkeypatch):
    name = folder(tmp_path, "cmr10.ttf")
    first = glyphs.fingerprint(name)
    assert first == glyphs.fingerprint(name) != glyphs.fingerprint("bundled")
    (tmp_path / "cmr10.ttf").write_bytes(BUNDLED["cmb10.ttf"].read_bytes())
    second = glyphs.fingerprint(name)
    monkeypatch.setattr(glyphs, "RENDERING", glyphs.RENDERING + 1)
    assert len({first, second, glyphs.fingerprint(name)}) == 3


def test_places_without_usable_fonts(tmp_path):
    (tmp_path / "empty").mkdir()
    cases = {
        str(tmp_path / "missing"): "no such directory",
        str(tmp_path / "empty"): "no such file in it",
        folder(tmp_path / "symbols", "cmex10.ttf", "STIXSizTwoSymReg.ttf"): "2 font files",
    }
    for place, found in cases.items():
        with pytest.raises(DataError) as caught:
            glyphs.render(10, fonts=place)
        assert found in caught.value.found
        assert caught.value.must
        assert "bundled" in caught.value.do
    with pytest.raises(DataError):
        glyphs.fingerprint(str(tmp_path / "missing"))


def test_the_systems_fonts_are_those_of_its_folders(tmp_path, monkeypatch):
    name = folder(tmp_path, "a/cmr10.ttf", "b/DejaVuSerif.ttf")
    monkeypatch.setattr(fonts, "SYSTEM", (f"{name}/b", f"{name}/a", f"{name}/none"))
    assert typefaces("system").families == ("DejaVu Serif", "DejaVu Serif double-struck", "cmr10")
