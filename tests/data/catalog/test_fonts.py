import shutil
from itertools import count
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
    used = {Path(alphabet.path).name for alphabet in found.alphabets if alphabet.path}
    assert used | set(found.left_out) == set(BUNDLED)
    assert not used & set(found.left_out)
    assert {"cmex10.ttf", "LastResortHE-Regular.ttf", "STIXSizOneSymReg.ttf"} <= set(found.left_out)
    assert {"cmsy10.ttf", "cmmi10.ttf", "cmr10.ttf", "DejaVuSerif.ttf", "STIXGeneral.ttf"} <= used
    assert "" in {alphabet.path for alphabet in found.alphabets}  # the font inside Pillow


def test_every_alphabet_has_ten_letters_that_are_there_and_differ():
    for alphabet in typefaces("bundled").alphabets:
        font = load(alphabet.path, alphabet.face, 40)
        missing = ink(font, fonts.NO_CHARACTER, 40)[0]
        pictures = [ink(font, letter, 40)[0] for letter in alphabet.letters]
        assert all(picture.size and picture.max() > 128 for picture in pictures)
        assert not any(np.array_equal(picture, missing) for picture in pictures)
        assert len({picture.tobytes() for picture in pictures}) == 10


def test_the_families():
    found = typefaces("bundled")
    assert len(found.names) == len(found.ornate) == 12
    assert set(found.family) == set(range(12))
    family = {
        (Path(alphabet.path).stem, alphabet.letters[0]): number
        for alphabet, number in zip(found.alphabets, found.family, strict=True)
    }
    regular = family["DejaVuSans", "A"]
    assert {family[f"DejaVuSans{style}", "A"] for style in ("-Bold", "-Oblique", "Mono", "Mono-Bold")} == {
        regular
    }
    assert len({family[name, "A"] for name in ("cmr10", "cmb10", "cmti10", "cmmi10")}) == 1
    assert family["STIXGeneral", "\U0001d670"] == family["cmtt10", "A"]  # typewriters, as good as equal
    plain = [
        family[name, "A"]
        for name in ("DejaVuSans", "DejaVuSerif", "STIXGeneral", "cmr10", "cmss10", "cmsy10")
    ]
    assert len(set(plain)) == 6
    script, fraktur = family["STIXGeneral", "\U0001d49c"], family["STIXGeneral", "\U0001d504"]
    assert found.ornate[script]
    assert found.ornate[fraktur]
    assert not found.ornate[regular]
    assert script != fraktur


def test_a_directory_is_searched_to_its_depths_and_copies_add_nothing(tmp_path):
    name = folder(tmp_path, "cmr10.ttf", "deep/down/cmss10.ttf", "again/cmr10.ttf", "cmex10.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    (tmp_path / "read.me").write_text("not a font either")
    found = typefaces(name)
    assert found.names == ("Computer Modern", "Computer Modern Sans")
    assert len(found.alphabets) == 2
    assert sorted(found.left_out) == ["broken.ttf", "cmex10.ttf"]
    images = glyphs.render(60, fonts=name)
    assert images.source == "glyphs (rendered letters A-J from 2 font families; not notMNIST)"
    assert images.record.conversions == ("2 font files without letters A-J left out: broken.ttf, cmex10.ttf",)
    assert set(images.groups.tolist()) == {0, 1}


def test_the_same_shapes_under_other_names_are_one_family(tmp_path, monkeypatch):
    names = count()
    monkeypatch.setattr(fonts, "_design", lambda name, kind: f"{name} {kind} {next(names)}")
    found = typefaces(folder(tmp_path, "STIXGeneral.ttf", "STIXGeneralBol.ttf", "cmss10.ttf"))
    family = {
        (Path(alphabet.path).stem, alphabet.letters[0]): number
        for alphabet, number in zip(found.alphabets, found.family, strict=True)
    }
    sans_bold = "\U0001d5d4"
    assert family["STIXGeneral", sans_bold] == family["STIXGeneralBol", sans_bold] != family["cmss10", "A"]
    assert family["STIXGeneral", "A"] != family["STIXGeneral", sans_bold]


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
    monkeypatch.setattr(
        fonts, "_system_folders", lambda: [Path(name) / "b", Path(name) / "a", Path(name) / "none"]
    )
    assert typefaces("system").names[:2] == ("DejaVu Serif", "mathematical double-struck")
    assert "Computer Modern" in typefaces("system").names
