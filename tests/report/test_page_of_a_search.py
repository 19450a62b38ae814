"""The page of a search: what was found, what is doubtful about it, and all trials beside it."""

import csv
import json
import math
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial
from PIL import Image

from latentspace.evaluation.evaluate import evaluate
from latentspace.report.page import Page, Table
from latentspace.report.search.page import report_study, search_section, study_page
from latentspace.report.search.tables import best_table, counts_table, duration, failures_table, trials_csv
from latentspace.search.best import evaluated_run, final_training
from latentspace.search.heartbeat import Heartbeat
from latentspace.search.load import record_of
from latentspace.search.trials import Trials, join
from latentspace.studies import published
from latentspace.studies.foscarin2021.published import REPORT
from runner import call
from searches import MIDDLE, new_study, search_like, study_directory, trial
from small_search import run_all, small_study


@pytest.fixture
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made but not rendered: how they look is another test's concern, and takes a second each."""
    file = BytesIO()
    Image.new("L", (4, 4)).save(file, "PNG")
    monkeypatch.setattr("latentspace.report.search.pictures.png", lambda figure: file.getvalue())


undrawn = pytest.mark.usefixtures("_undrawn")
EDGY = {"model.code_size": 10, "model.neurons": 128}
CONFIRMED = [
    {"number": 0, "params": {}, "scores": [0.20, 0.201, 0.202], "mean": 0.201, "std": 0.001, "failed": 0},
    {"number": 1, "params": {}, "scores": [0.15, 0.151], "mean": 0.15, "std": 0.001, "failed": 1},
]


@pytest.fixture
def mixed_page(_undrawn: None) -> Page:
    return study_page("letters", record_of(new_study(mixed())))


def mixed() -> list[FrozenTrial]:
    return [
        trial("complete", 0.1, params=EDGY, reports=[0.3, 0.1], epochs=50, weights=99),
        trial("complete", 0.2, reports=[0.4, 0.2], epochs=50),
        trial("pruned", reports=[0.9], epochs=1),
        trial("failed", reason="the loss is not finite", epochs=2),
        trial("failed", reason="the loss is not finite", epochs=3),
        trial("failed", reason="out of memory; <b>"),
        trial("lost", reason="its worker was killed"),
    ]


def words(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split())


def rows(table: Table) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in table.rows}


def test_a_study_leaves_a_page_figures_and_its_trials(tmp_path: Path) -> None:
    path = study_directory(tmp_path / "letters", search_like(36), published=0)
    page = report_study(path)
    assert page == path / "report.html"
    assert sorted(file.name for file in (path / "figures").iterdir()) == [
        "history.png",
        "importances.png",
        "intermediate-values.png",
        "parallel-coordinates.png",
        "slices.png",
    ]
    text = words(page)
    assert "letters: a search for the autoencoder" in text
    assert text.count("<figure") == 5
    with (path / "trials.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 36
    assert [line["number"] for line in lines] == [str(number) for number in range(36)]


def test_the_edges_are_called_out_loudly_and_one_by_one(mixed_page: Page) -> None:
    page = mixed_page
    assert page.notices[0] == (
        "The best parameters are at the boundary of the search space in 2 of 5 settings: code size = 10, "
        "neurons = 128. A wider range may hold better ones."
    )
    assert any(text.startswith("Code size = 10 is at the upper end") for text in page.sections[0].text)
    assert any(text.startswith("Neurons = 128 is at the upper end") for text in page.sections[0].text)


@undrawn
def test_a_winner_in_the_middle_has_no_notice() -> None:
    assert study_page("letters", record_of(new_study([trial("complete", 0.1)]))).notices == ()


def best(published: int | None) -> Table:
    made = record_of(new_study(mixed(), published=published))
    assert made.best is not None
    return best_table(made, made.best)


def test_the_best_parameters_stand_beside_their_ranges_and_the_defaults() -> None:
    table = best(1)
    assert table.title == "Best parameters: trial 0"
    assert table.columns == ("", "best", "searched", "at the boundary", "the defaults")
    assert rows(table)["code size"] == ("10", "2 to 10", "highest", "5")
    assert rows(table)["learning rate"] == ("0.003", "0.0001 to 0.1, logarithmic", "–", "0.003")
    assert best(0).columns == best(None).columns == ("", "best", "searched", "at the boundary")


@undrawn
def test_the_search_in_short_as_a_part_of_another_page() -> None:
    record = record_of(new_study(search_like(36)))
    page = study_page("search-ae", record)
    section = search_section(record, page, "search-ae/report.html", REPORT)
    assert section.title == "The search: autoencoder"
    assert section.text[0] == page.lead
    table, counts = section.tables
    assert table.columns[-1] == "the report's best"
    assert rows(table)["code size"][-1] == "10"
    assert rows(table)["learning rate"][-1] == "0.00336387"
    assert rows(table)["batch size"][-1] == "266"
    assert rows(counts)["trials pruned"] == ("24",)
    assert rows(counts)["epochs saved by pruning"] == (f"{24 * 45:,}",)
    assert [picture.title for picture in section.pictures] == [
        "Trial by trial, autoencoder",
        "Epoch by epoch, autoencoder",
        "Which settings matter, autoencoder",
    ]
    assert section.links[0][1] == "search-ae/report.html"


@undrawn
def test_the_search_in_short_says_what_stands_on_the_edge_and_what_is_not_known(mixed_page: Page) -> None:
    record = record_of(new_study(mixed()))
    text = " ".join(search_section(record, mixed_page, "there").text)
    assert "Code size = 10 is at the upper end" in text
    assert "Neurons = 128 is at the upper end" in text
    assert "No importances for mse: it takes 10 complete trials" in text
    assert "best.toml" not in text


@undrawn
def test_the_search_in_short_of_which_no_trial_was_completed() -> None:
    record = record_of(new_study([trial("failed", reason="the loss is not finite")]))
    section = search_section(record, study_page("search-ae", record), "there")
    assert [table.title for table in section.tables] == ["What was run"]
    assert section.pictures == ()
    assert "None has a value yet" in section.text[0]


def test_what_pruning_saved_is_counted() -> None:
    counted = rows(counts_table(record_of(new_study(mixed()))))
    assert counted["trials complete"] == ("2",)
    assert counted["trials pruned"] == ("1",)
    assert counted["trials failed, with a reason"] == ("3",)
    assert counted["trials lost with their worker; run again, not counted"] == ("1",)
    assert counted["epochs run in all"] == ("106",)
    assert counted["epochs saved by pruning"] == ("49",)
    assert counted["share of the epochs that pruning saved"] == ("32.7%",)


def test_failures_have_their_reasons_the_frequent_first(mixed_page: Page) -> None:
    table = failures_table(record_of(new_study(mixed())))
    assert table is not None
    assert table.rows == (
        ("the loss is not finite", "failed", "2", "3, 4"),
        ("out of memory; <b>", "failed", "1", "5"),
        ("its worker was killed", "run again", "1", "6"),
    )
    assert "More trials failed (3) than were completed. The reasons are at the end." in mixed_page.notices
    crowd = failures_table(record_of(new_study([trial("failed", reason="no memory")] * 20)))
    assert crowd is not None
    assert crowd.rows[0][2:] == ("20", "0, 1, 2, 3, 4, 5, 6, 7 and 12 more")


@undrawn
def test_the_lead_is_compared_with_chance(tmp_path: Path) -> None:
    path = study_directory(tmp_path / "letters", mixed(), confirmed=CONFIRMED)
    text = words(report_study(path))
    assert "So the lead was chance: trial 1 is significantly better." in text
    assert "trial 1 is significantly better than the best trial of the search, trial 0." in text
    assert "0.201 ± 0.001" in text


def test_a_lead_that_was_not_measured_is_said_to_be_so(mixed_page: Page) -> None:
    (section,) = [one for one in mixed_page.sections if one.title == "Is the best trial significantly better"]
    assert section.text[0].startswith("Trial 0 leads trial 1 by 0.1. Whether that is more than chance")
    assert "--confirm 3x3" in section.text[0]


@pytest.fixture(scope="module")
def evaluated_study(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two trials whose winner was trained in full and evaluated."""
    with small_study(archive, tmp_path_factory.mktemp("evaluated") / "letters", trials=2) as trials:
        run_all(trials)
        training = final_training(trials)
        list(training.records())
        evaluate(training.run)
        return trials.directory


@pytest.fixture
def evaluated(evaluated_study: Path, tmp_path: Path, _undrawn: None) -> Iterator[Trials]:
    """A copy of it, for a test to change."""
    with join(shutil.copytree(evaluated_study, tmp_path / "letters"), None) as trials:
        yield trials


def told(trials: Trials) -> str:
    return words(report_study(trials.directory, published=published))


def test_the_test_parts_result_is_told_once_it_is_there(evaluated: Trials) -> None:
    result = evaluated.directory / "best" / "results" / "test.json"
    found = json.loads(result.read_text())
    said = f"on {found['images']} images of the test part, they reach a mse of {found['mse']:.5g}."
    assert said in told(evaluated)
    result.unlink()
    assert "test part" not in told(evaluated)


def test_a_former_winners_result_is_not_told_as_the_present_ones(evaluated: Trials) -> None:
    """As after `search --resume --trials 3 --no-final`, or while such a search goes on."""
    former = evaluated.best()
    assert former is not None
    plan = evaluated.plan.model_copy(
        update={"search": evaluated.plan.search.model_copy(update={"trials": 3})}
    )
    plan.save(evaluated.directory)
    trial = evaluated.next(Heartbeat("1@elsewhere", "none"))
    assert trial is not None
    evaluated.study.tell(trial, 1e-9)
    assert evaluated_run(evaluated) is None
    text = told(evaluated)
    assert f"The best is trial {trial.number}, with a validation mse of 1e-09." in text
    assert "test part" not in text


def test_a_winner_that_learned_from_validation_images_too_is_the_winner(evaluated: Trials) -> None:
    training = final_training(evaluated, "train+validation")
    list(training.records())
    evaluate(training.run)
    assert "of the test part, they reach a mse" in told(evaluated)


def test_the_reports_score_stands_beside_the_reports_images_alone(evaluated: Trials) -> None:
    assert "0.0272" not in told(evaluated)
    data = evaluated.directory / "best" / "data.json"
    data.write_text(json.dumps({**json.loads(data.read_text()), "comparable": True}))
    assert "; the report&#39;s was 0.0272, on its own split." in told(evaluated)


def test_the_file_of_trials_is_complete() -> None:
    text = trials_csv(record_of(new_study([*mixed(), trial("complete", math.inf), trial("waiting")])))
    lines = list(csv.DictReader(text.splitlines()))
    first, pruned, failed = lines[0], lines[2], lines[5]
    assert (first["state"], first["mse"], first["epochs"], first["weights"]) == (
        "complete",
        "0.1",
        "50",
        "99",
    )
    assert {name: first[name] for name in MIDDLE} == {
        name: str(value) for name, value in {**MIDDLE, **EDGY}.items()
    }
    assert (pruned["mse"], pruned["last_reported"], pruned["epochs"]) == ("", "0.9", "1")
    assert failed["reason"] == "out of memory; <b>"
    assert lines[6]["state"] == "lost"
    assert lines[7]["mse"] == "inf"
    assert (lines[8]["state"], lines[8]["model.code_size"]) == ("waiting", "")


@undrawn
@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([], "0 trials of up to 50 epochs"),
        ([trial("running")], "Trials that are running, or whose worker is gone: 1."),
        ([trial("complete", 0.1)], "The best is trial 0, with a validation mse of 0.1."),
        (
            [trial("pruned", reports=[0.1, math.nan])] * 3,
            "None has a value yet, so there is nothing to compare.",
        ),
        ([trial("failed", reason="<script>")] * 3, "More trials failed (3) than were completed."),
        ([trial("complete", math.inf), trial("complete", -1.0)], "complete trials whose value is not finite"),
    ],
)
def test_every_search_has_a_page(tmp_path: Path, trials: list[FrozenTrial], said: str) -> None:
    page = report_study(study_directory(tmp_path / "letters", trials))
    assert said in words(page)
    assert "<script" not in words(page)
    assert len((page.parent / "trials.csv").read_text().splitlines()) == 1 + len(trials)


@undrawn
def test_an_accuracy_is_maximised_in_words_too(tmp_path: Path) -> None:
    path = study_directory(
        tmp_path / "letters",
        [trial("complete", value, reports=[value]) for value in (0.8, 0.9)],
        objectives=["accuracy"],
        directions=["maximize"],
    )
    text = words(report_study(path))
    assert "The best is trial 1, with a validation accuracy of 0.9." in text
    assert "accuracy maximized" in text


@undrawn
def test_several_objectives_have_a_front_and_no_pruning(tmp_path: Path) -> None:
    sizes = (2, 4, 6, 8, 10, 3, 5, 7, 9, 10, 2, 4)
    path = study_directory(
        tmp_path / "letters",
        [
            trial(
                "complete", (0.1 + 0.3 / size + 0.01 * number, float(size)), params={"model.code_size": size}
            )
            for number, size in enumerate(sizes)
        ],
        objectives=["mse", "code_size"],
        directions=["minimize", "minimize"],
    )
    text = words(report_study(path, out=tmp_path / "page"))
    assert not (path / "report.html").exists()
    assert (tmp_path / "page" / "figures" / "front.png").is_file()
    assert not (tmp_path / "page" / "figures" / "intermediate-values.png").exists()
    assert "have no best trial but a front. Nothing was pruned" in text
    assert "epochs saved by pruning" not in text
    assert "No importances for code_size: it is itself a setting." in text


def test_spans_of_time_have_two_units() -> None:
    assert [duration(seconds) for seconds in (4.21, 200.0, 3900.0)] == ["4.2 s", "3 min 20 s", "1 h 5 min"]


@undrawn
def test_the_command_takes_a_study(tmp_path: Path) -> None:
    path = study_directory(tmp_path / "letters", mixed())
    code, out, err = call(["report", str(path)])
    assert code == 0, err
    assert out == f"{path / 'report.html'}\n"
    assert str(path / "trials.csv") in err


def test_the_command_names_both_kinds_of_directory(tmp_path: Path) -> None:
    code, out, err = call(["report", str(tmp_path)])
    assert (code, out) == (2, "")
    assert "a run directory (with a config.json) or a study directory (with a study.json)" in " ".join(
        err.split()
    )
    assert "found: neither of them there" in err
    code, _, err = call(["report", str(tmp_path / "nowhere")])
    assert code == 2
    assert "found: no such directory" in err


def test_options_of_the_other_kind_are_refused(tmp_path: Path) -> None:
    path = study_directory(tmp_path / "letters", mixed())
    code, _, err = call(["report", str(path), "--data", "glyphs"])
    assert code == 2
    assert "--data has no meaning here" in err
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text("{}")
    code, _, err = call(["report", str(run), "--storage", "sqlite:///x.db"])
    assert code == 2
    assert "--storage has no meaning here" in err
