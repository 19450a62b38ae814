"""Names of files and classes that are more than text: escaped wherever they leave the program."""

import ast
import csv
import io
import json
import logging
from pathlib import Path

import pytest
from PIL import Image

import latentspace
from latentspace.cli import console
from latentspace.core.csv_text import csv_text
from latentspace.core.errors import DataError
from latentspace.core.logs import collected, logged_to, unsaid
from latentspace.core.printable import printable
from latentspace.report.page import Page, Section, Table, render
from makers import encoded, random_pixels
from runner import call

SOURCE = Path(latentspace.__file__).parent
FORGED = "2026-01-01 00:00:00,000 WARNING forged"
NAMES = {
    "escape": "\x1b[31mred\x1b[0m",
    "line": f"one\r\n{FORGED}",
    "bell": "\x07\x08\x7f",
    "one byte": "\x9b31mred",
    "turned": "\u202egnp.exe",
    "separators": "a\u2028b\u2029c",
    "no text": "\udcff",
}
DANGEROUS = set("".join(NAMES.values())) - set(map(chr, range(32, 127)))


def assert_plain(text: str, *, lines: bool = True) -> None:
    found = {one for one in text if one in DANGEROUS} - ({"\n"} if lines else set())
    assert not found, repr(text)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_what_cannot_be_printed_becomes_an_escape_on_the_same_line(name):
    text = printable(name)
    assert_plain(text, lines=False)
    assert text.encode()
    assert printable(text) == text
    assert_plain(str(DataError(name, found=name, do=name)))
    assert len(str(DataError(name, found=name, do=name)).splitlines()) == 3


def test_other_text_stays_as_it_is():
    for text in ("A", "Ünïcödé", "日本語", "👩‍🔬", "a b", "עברית", "C:\\new", "$5 [bold red]"):
        assert printable(text) == text


def test_the_escapes_are_those_of_python_and_a_byte_is_shown_as_one():
    assert printable("\x1b\n\t\u202e\udcff") == r"\x1b\n\t\u202e\xff"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Class folders with such names, images in them, and a file that is none."""
    place = tmp_path_factory.mktemp("names")
    for number, name in enumerate((NAMES["escape"], NAMES["line"], "=1+1", "<b>&", "@SUM(A1)", "-2")):
        (place / "data" / name).mkdir(parents=True)
        for image in range(10):
            content = encoded(random_pixels(16, 16, seed=10 * number + image))
            (place / "data" / name / f"{NAMES['turned']}{image}.png").write_bytes(content)
    (place / "data" / NAMES["escape"] / f"{NAMES['line']}.png").write_bytes(b"no image")
    return place


def test_no_name_reaches_the_terminal_the_log_or_a_table_as_more_than_text(folder, monkeypatch):
    monkeypatch.chdir(folder)
    run = f"runs/=cmd {NAMES['escape']}"
    tiny = ["--preset", "report", "--set", "model.neurons=4", "--set", "model.conv1_channels=4"]
    tiny += ["--epochs", "1", "--device", "cpu"]
    for line in (
        ["data", "info", "data"],
        ["data", "info", "data", "--list", "unreadable"],
        ["train", "ae", "--data", "data", "--out", run, *tiny],
        ["train", "ae", "--data", "data", "--out", run, *tiny],
        ["runs"],
        ["runs", "--wide"],
        ["runs", "--csv"],
        ["evaluate", run],
        ["denoise", run, "data", "cleaned"],
    ):
        _, out, err = call(line)
        made = f"{run}\n" if line[0] == "train" else ""  # the path itself, for scripts
        assert_plain(out.removesuffix(made))
        assert_plain(err)
        assert FORGED not in (out + err).splitlines()
    log = (Path(run) / "run.log").read_text()
    assert_plain(log)
    assert "skipped 1 unreadable image" in log
    assert not any(one.startswith(FORGED) for one in log.splitlines())
    _, out, _ = call(["runs", "--csv"])
    (row,) = csv.DictReader(io.StringIO(out))
    assert row["run"] == r"runs/=cmd \x1b[31mred\x1b[0m"


def test_json_keeps_names_as_they_are_in_plain_characters(folder):
    _, out, _ = call(["data", "info", str(folder / "data"), "--json"])
    assert_plain(out)
    assert NAMES["escape"] in json.loads(out)["per_class"]


def test_a_log_has_a_line_for_a_message(tmp_path):
    logger = logging.getLogger("latentspace")
    with collected() as lines, logged_to(tmp_path / "run.log"):
        for name in NAMES.values():
            logger.warning("skipped %s, postgresql://me:xyzzy@host/x", name)
    written = (tmp_path / "run.log").read_text()
    assert len(lines) == len(written.splitlines()) == len(NAMES)
    assert_plain("".join(lines), lines=False)
    assert_plain(written)
    assert "xyzzy" not in written


def test_a_step_of_something_larger_says_nothing_though_it_keeps_a_log(tmp_path):
    logger = logging.getLogger("latentspace")
    with collected() as lines:
        with unsaid(), logged_to(tmp_path / "run.log"):
            logger.warning("of the step")
        logger.warning("of the whole")
    assert [line.partition("of ")[2] for line in lines] == ["the whole"]
    assert "of the step" in (tmp_path / "run.log").read_text()


def test_no_word_of_a_table_is_broken_where_all_fit():
    said = io.StringIO()
    screen = console.Console(file=said, width=50)
    rows = [["trustworthiness of a map by t-SNE", "0.974 [0.963,0.985]", "0.962, beaten"]] * 2
    console.show_table("", ["", "this run", "PCA with as many numbers"], rows, to=screen)
    lines = said.getvalue().splitlines()
    assert max(map(len, lines)) <= 50
    assert set(" ".join(rows[0]).split()) <= set(said.getvalue().split())


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_table_and_a_message_on_the_terminal_are_plain(name, monkeypatch):
    said = io.StringIO()
    screen = console.Console(file=said, force_terminal=True, color_system=None, width=200, highlight=False)
    monkeypatch.setattr(console, "out", screen)
    monkeypatch.setattr(console, "err", screen)
    console.show_table(f"[bold]{name}", [name], [[name]], to=screen)
    console.note(name)
    console.made(Path(name))
    console.show_error(DataError(name, found=name, do=name))
    assert_plain(said.getvalue())
    assert "[bold]" in said.getvalue().replace("\n", "")


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=cmd|' /C calc'!A0")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_is_no_formula(text):
    ((cell,),) = csv.reader(io.StringIO(csv_text([[text]])))
    assert cell[0] in "'\\"
    assert cell.removeprefix("'") == printable(text)


def test_numbers_stay_numbers_and_text_stays_text():
    row = [-1, -0.5, "-0.5", "+1e-3", "-inf", "", None, "a=b", "x, y", "A"]
    ((*cells,),) = csv.reader(io.StringIO(csv_text([row])))
    assert cells == ["-1", "-0.5", "-0.5", "+1e-3", "-inf", "", "", "a=b", "x, y", "A"]


def test_a_page_is_plain():
    name = "".join(NAMES.values()) + "<script>"
    table = Table(name, (name, name), ((name, name),))
    html = render(
        Page(title=name, lead=name, notices=(name,), sections=(Section(name, (name,), tables=(table,)),))
    )
    assert_plain(html)
    assert "<script>" not in html
    assert r"\x1b[31mred" in html


DOORS = ("console.out.print", "console.err.print", "print")


def test_names_leave_by_few_doors():
    """CSV is written in one place, and nothing but JSON is printed past the console's own functions."""
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        imported = [one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names]
        reads = path.parent.name == "readers" or path.name in (
            "convert.py",
            "labels.py",
        )  # this writes what --group-by reads
        written = path.name if reads else "csv_text.py"
        assert "csv" not in imported or path.name == written, path
        for one in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            numbers_alone = path.name == "fitting.py"  # an estimator's `verbose`: scores and times, no name
            if path.name != "console.py" and not numbers_alone and ast.unparse(one.func) in DOORS:
                said = ast.unparse(one.args[0])
                assert "json" in said or "csv_text" in said or "version" in said, f"{path}: {said}"


def test_a_picture_of_such_classes_is_drawn(folder, tmp_path):
    code, out, _ = call(["data", "info", str(folder / "data"), "--picture", str(tmp_path / "some.png")])
    assert code == 0
    with Image.open(out.splitlines()[-1]) as picture:
        assert picture.width > 100
