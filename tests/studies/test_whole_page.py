"""The page of each kind of run, and the page of all: every figure once, every table, every number."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from latentspace.analysis import RunContext, analyse
from latentspace.evaluation.confusion import surest_mistakes
from latentspace.report.page import Page, Section, render
from latentspace.report.run.page import run_page
from latentspace.report.run.pictures import mistakes
from latentspace.report.run.tables import mistakes_table
from latentspace.report.run.write import report_run, write_page, write_run_page
from latentspace.studies import published
from latentspace.studies.foscarin2021.published import REPORT, RESULTS, Published, least_softmax_loss
from makers import undrawn

FIGURES = {"ae": [1, 2, 3, 4, 5], "dae": [1, 6, 7, 8], "classifier": [1, 9], "vae": [1, 10, 11, 12, 13]}


def numbers(page: Page) -> list[int]:
    pictures = [picture for section in page.sections for picture in section.pictures]
    return sorted(int(picture.number) for picture in pictures if picture.number is not None)


def values(kind: str) -> list[str]:
    """What the report published of this task."""
    return [value for (task, _), value in RESULTS.items() if task == kind]


def titles(sections: Sequence[Section]) -> list[str]:
    return [table.title for section in sections for table in section.tables]


@pytest.mark.parametrize("kind", FIGURES)
def test_a_run_has_its_figures_and_tables_on_its_page_and_in_its_folder(kind, small_runs):
    run = small_runs[kind]
    page = run_page(analyse(RunContext.open(run)), REPORT)
    assert numbers(page) == FIGURES[kind]
    title = run.experiment.task.title
    assert f"Results of the {title}" in titles(page.sections)
    assert f"Parameters of the {title}" in titles(page.sections)
    path = write_run_page(page, run)
    assert path == run.path / "report.html"
    files = {file.name for file in (run.path / "figures").iterdir()}
    assert {f"figure-{number:02}.png" for number in FIGURES[kind]} <= files
    for value in values(kind):
        assert value in path.read_text()


def test_numbers_that_are_drawn_are_beside_the_figure(small_runs):
    with undrawn():
        report_run(small_runs["dae"])
    lines = (small_runs["dae"].path / "figures" / "error-against-noise.csv").read_text().splitlines()
    assert lines[0].startswith("noise,denoising autoencoder,")
    assert len(lines) == 9


def test_the_whole_page_has_every_figure_once_and_every_table(whole):
    assert numbers(whole) == list(range(1, 14))
    html = render(whole)
    for number in range(1, 14):
        assert len(re.findall(rf"<b>Figure {number}\.", html)) == 1
    for name in ("autoencoder", "denoising autoencoder", "classifier", "variational autoencoder"):
        assert f"Parameters of the {name}" in titles(whole.sections)
        assert f"Results of the {name}" in titles(whole.sections)
    for title in (
        "Ours and the report's",
        "What the codes are worth",
        "The time of the two ways to classify",
    ):
        assert title in titles(whole.sections)
    for value in ("0.0272", "0.0283", "0.8958", "1.5658", "183.59"):
        assert value in html


def test_the_searches_come_before_what_is_done_differently(whole):
    names = [section.title for section in whole.sections]
    assert names[-3:] == [
        "Random decodes compared",
        "The search: autoencoder",
        "What is done differently, and why",
    ]


def test_what_cannot_be_compared_is_said_loudly(whole):
    html = render(whole)
    assert html.count('class="notice"') == 1
    assert "no figure here can be compared with the report" in html
    (table,) = [table for table in whole.sections[0].tables if table.title == "Ours and the report's"]
    assert {row[3] for row in table.rows} == {"no", "–"}
    assert "No: the images are not known to be the report's (autoencoder, mean squared error;" in table.note


def test_our_parameters_stand_beside_the_reports(whole):
    (table,) = [
        table
        for section in whole.sections
        for table in section.tables
        if table.title == "Parameters of the classifier"
    ]
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["batch size"] == ("25", "411")
    assert rows["learning rate"] == ("0.01", "0.00182632")
    assert rows["linear layer 3 neurons"] == ("16", "17")
    assert rows["epochs"] == ("8", "30")
    assert rows["optimizer"] == ("Adam", "Adam")


def test_the_loss_through_a_softmax_has_a_floor():
    import torch

    probabilities = torch.eye(10)
    lowest = torch.nn.functional.cross_entropy(probabilities, torch.arange(10))
    assert float(lowest) == pytest.approx(least_softmax_loss(10), abs=1e-6)


def test_what_stands_between_ours_and_the_reports(small_runs, monkeypatch):
    run = small_runs["classifier"]
    assert REPORT.obstacles(run) == ("the images are not known to be the report's",)
    letters = run.data.model_copy(update={"comparable": True, "images": 18_724})
    monkeypatch.setattr("latentspace.runs.directory.Run.data", property(lambda self: letters))
    found = REPORT.obstacles(run)
    assert found[:2] == ("8 epochs, not 30", "a network of another size")
    assert "its encoder: 2 epochs, not 50" in found
    assert REPORT.verdict(run, "more").endswith(", more")
    monkeypatch.setattr(Published, "obstacles", lambda self, run: ())
    assert REPORT.verdict(run) == "nearly: another split, and no look at the test images"


def test_the_page_is_written_whole(whole, tmp_path):
    path = write_page(whole, tmp_path)
    assert path == tmp_path / "report.html"
    names = {file.stem for file in (tmp_path / "figures").glob("*.png")}
    assert {f"figure-{number:02}" for number in range(1, 14)} <= names
    assert "random-decodes-as-the-code-grows" in names


@pytest.mark.parametrize("kind", FIGURES)
def test_the_page_of_other_images_is_about_them_alone(kind, small_runs, tmp_path):
    run = small_runs[kind]
    with undrawn():
        page = Path(report_run(run, title="My bars")).read_text()
        again = report_run(run, out=tmp_path / "again")
    assert again == tmp_path / "again" / "report.html"
    drawn = {one.name for one in (tmp_path / "again" / "figures").iterdir()}
    assert drawn
    assert drawn <= {one.name for one in (run.path / "figures").iterdir()}  # other tests draw there too
    again = again.read_text()
    assert "<h1>My bars</h1>" in page
    assert "report" not in re.sub(r"<style>.*?</style>|base64,[^\"]*", "", page, flags=re.S).lower()
    assert 'class="notice"' not in page
    for value in values(kind):
        assert value not in page
    found = [int(number) for number in re.findall(r"<b>Figure (\d+)\.", page)]
    assert found == list(range(1, len(found) + 1))
    assert {f"figure-{number:02}.png" for number in found} <= {
        file.name for file in (run.path / "figures").iterdir()
    }
    assert page.index('class="findings"') < page.index("<main>")
    assert f"<h1>{run.path.name}: {run.experiment.task.title}</h1>" in again


def test_the_page_of_the_reports_images_has_its_numbers(small_runs, monkeypatch):
    run = small_runs["ae"]
    shown = analyse(RunContext.open(run))
    letters = run.data.model_copy(update={"comparable": True})
    monkeypatch.setattr("latentspace.runs.directory.Run.data", property(lambda self: letters))
    with undrawn():
        page = run_page(shown, published("ae", True))
    assert numbers(page) == FIGURES["ae"]
    assert page.notices == ()
    assert "0.0272" in render(page)
    assert "The report drew its test set" in render(page)


@pytest.mark.parametrize("names", [("A", "B", "C"), ("a wide table", "a chair", "a lamp")])
def test_the_surest_mistakes_are_named_over_them_or_in_a_table(small_runs, names):
    shown = analyse(RunContext.open(small_runs["classifier"])).classifier
    wrong = surest_mistakes(np.array([0, 1]), np.array([[0.1, 0.9, 0], [0.7, 0.2, 0.1]]))
    confusion = replace(shown.confusion, class_names=names)
    shown = replace(shown, mistakes=wrong, mistaken=shown.mistaken[:1].repeat(2, axis=0), confusion=confusion)
    table, picture = mistakes_table(shown), mistakes(shown)
    assert picture is not None
    if names[0] == "A":
        assert table is None
        assert "its label, the prediction" in picture.caption
    else:
        assert table.rows == (
            ("1", "a wide table", "a chair", "90%"),
            ("2", "a chair", "a wide table", "70%"),
        )
        assert "its number in the table" in picture.caption
