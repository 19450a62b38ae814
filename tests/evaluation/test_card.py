"""The report card: what it holds of a run of each kind, its page, its schema, and what it is made of."""

import json
import pickle
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from latentspace.analysis import RunContext
from latentspace.data.imageset import ImageSet
from latentspace.evaluation.card import compare, geometry, make
from latentspace.evaluation.card import robustness as robustness_module
from latentspace.evaluation.card.classification import classification
from latentspace.evaluation.card.compare import Compared, Comparison, compared
from latentspace.evaluation.card.geometry import (
    active_units,
    collapse,
    effective_rank,
    total_correlation,
)
from latentspace.evaluation.card.make import CardRecord, card_record
from latentspace.evaluation.card.reconstruction import reconstruction, ssim, worst_tenth
from latentspace.evaluation.card.robustness import robustness
from latentspace.evaluation.card.subject import Subject
from latentspace.evaluation.card.tally import Draws, Tally
from latentspace.evaluation.card.values import Card, Curve, Value, verdict_of
from latentspace.evaluation.clustering import GroupAgreement
from latentspace.experiment.config import Experiment
from latentspace.figures import style
from latentspace.inference.calibration import cross_fitted, expected_calibration_error
from latentspace.inference.computing import Encoded, here
from latentspace.inference.trained import load_trained
from latentspace.report import comparison
from latentspace.report.measures import cell, digits_of, number, titled, with_unit
from latentspace.report.run.pictures import code_sizes
from latentspace.runs.directory import Run
from latentspace.runs.tensors import write_tensors
from latentspace.training.train import Training, start, train
from makers import undrawn
from runner import call

SCHEMAS = Path(__file__).parents[2] / "docs" / "guide" / "schemas"
MOST = 24  # images that are evaluated
DRAWS = 30


@pytest.fixture(scope="module", autouse=True)
def _few_resamples() -> Iterator[None]:
    """Fewer than a card has, and coarser pictures, to be quick."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(make, "DRAWS", DRAWS)
        patched.setitem(style._LOOK, "savefig.dpi", 40)
        yield


@pytest.fixture(scope="module")
def records(small_runs: dict[str, Run], images: ImageSet, _few_resamples: None) -> dict[str, CardRecord]:
    return {name: card_record(small_runs[name], images, most=MOST) for name in ("ae", "vae", "classifier")}


@pytest.fixture(scope="module")
def ordered(plan: Experiment, images: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run without labels whose codes are ordered."""
    folder = tmp_path_factory.mktemp("ordered")
    settings = {
        "kind": "ae",
        "preset": "fast",
        "threads": 1,
        "split": {"near_copies": "off"},
        "model": {"name": "residual", "code_size": 3, "width": 4, "blocks": 0, "ordered": True},
        "training": {"epochs": 1, "batch_size": 32, "min_steps": 1},
    }
    return train(Experiment.parse(settings, "a plan"), folder / "run", images=images.pixels)


def kept_as(run: Run, pattern: str) -> Iterator[Path]:
    """The cards among what a run keeps; not their sections."""
    return (one for one in (run.path / "results").glob(f"{pattern}.json") if one.stem.count("-") == 2)


def rows_of(record: CardRecord, section: str) -> dict[str, object]:
    return {row.name: row for row in record.card.sections[section].rows if not row.of}


def test_the_documented_schemas_are_those_of_what_is_written():
    for name, kind in (("card", Card), ("comparison", Comparison)):
        written = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
        assert written == kind.model_json_schema(mode="serialization"), name


@pytest.mark.parametrize("name", ["ae", "vae", "classifier"])
def test_a_card_agrees_with_its_schema_and_has_every_interval(records, name):
    card = records[name].card
    said = json.loads(json.dumps(card.to_json(), allow_nan=False))
    assert Card.model_validate(said) == card
    assert set(said) == set(json.loads((SCHEMAS / "card.json").read_text())["properties"])
    for _, row in card.rows():
        for value in (row.run, *row.beside.values()):
            assert value.low is not None, row.name
            assert value.low <= value.value + 1e-9, row.name
            assert value.high >= value.value - 1e-9, row.name


def test_a_card_of_an_autoencoder_has_each_side(records):
    record = records["ae"]
    assert {"mse", "psnr", "ssim", "mse_worst_tenth"} == set(rows_of(record, "reconstruction"))
    classes = [row.of for row in record.card.sections["reconstruction"].rows if row.of]
    assert classes == list(record.card.classes)
    found = rows_of(record, "codes")
    assert {"knn_accuracy", "probe_accuracy", "nmi", "ari", "accuracy_of_groups"} <= set(found)
    assert {"active_units", "effective_rank", "total_correlation"} <= set(found)
    assert {"trustworthiness_pca", "continuity_pca"} <= set(found) or record.card.evaluated < 40
    assert set(found["knn_accuracy"].beside) == {"pca", "pixels", "random", "chance"}
    assert "from a mixture of" in record.card.sections["samples"].notes[0], "as generate draws"
    samples = rows_of(record, "samples")
    assert set(samples) == {
        "frechet",
        "precision",
        "recall",
        "coverage",
        "nearest_training",
        "memorised",
    }
    assert set(samples["frechet"].beside) == {"pca", "real"}
    changes = [row.name for row in record.card.sections["robustness"].rows]
    assert changes == [f"robust_to_{one}" for one in ("noise", "shift", "turn", "blur", "contrast")]
    assert record.card.sections["classification"].absent


def test_a_denoiser_is_evaluated_from_noisy_images_too(small_runs, images):
    found = reconstruction(Subject(small_runs["dae"], images, "test", MOST), Tally(MOST, DRAWS, 0))
    row = next(one for one in found.rows if one.name == "mse_from_noisy")
    assert set(row.beside) == {"input", "pca"}
    strength = small_runs["dae"].experiment.objective.strength
    assert row.beside["input"].value == pytest.approx(strength**2, rel=0.1)


def test_a_card_of_a_vae_has_its_divergence_by_dimension(records):
    curves = {one.name: one for one in records["vae"].card.sections["codes"].curves}
    terms = [one.value for one in curves["kl_per_dimension"].lines["run"]]
    assert len(terms) == 3
    assert terms == sorted(terms, reverse=True)


def test_a_card_of_a_classifier_evaluates_its_answers(records, small_runs, images):
    card = records["classifier"].card
    found = rows_of(records["classifier"], "classification")
    assert {"accuracy", "cross_entropy", "brier", "calibration_error", "calibration_error_calibrated"} == set(
        found
    )
    assert {"probe", "pca", "pixels", "random"} == set(found["accuracy"].beside)
    assert card.sections["reconstruction"].absent
    assert card.sections["samples"].absent
    values = records["classifier"].values["accuracy"]
    assert np.mean(values) == pytest.approx(found["accuracy"].run.value)


def test_no_answer_is_calibrated_by_a_temperature_that_has_seen_it(small_runs, images):
    run = small_runs["classifier"]
    subject = Subject(run, images, "validation", MOST)
    found = classification(subject, Tally(len(subject.evaluated), DRAWS, 0))
    row = next(one for one in found.rows if one.name == "calibration_error_calibrated")
    logits, labels = subject.network.logits(images, subject.evaluated), images.labels[subject.evaluated]
    honest = expected_calibration_error(cross_fitted(logits, labels), labels)
    assert row.run.value == pytest.approx(honest)
    assert "fitted to the other half" in found.notes[1]
    other = classification(Subject(run, images, "test", MOST), Tally(MOST, DRAWS, 0))
    assert "other half" not in other.notes[1]


def test_without_labels_their_part_is_absent_and_said_and_ordered_codes_have_a_curve(ordered, images):
    plain = ImageSet(images.pixels, "bars")
    card = card_record(ordered, plain, most=MOST).card
    assert card.classes == ()
    assert not {"knn_accuracy", "nmi"} & {row.name for _, row in card.rows()}
    assert "no labels" in card.sections["codes"].absent[0]
    assert "no labels" in card.sections["samples"].notes[1]
    curve = card.sections["reconstruction"].curves[0]
    assert curve.points == (1.0, 2.0, 3.0)
    whole = next(row for _, row in card.rows() if row.name == "mse")
    assert curve.lines["run"][-1].value == pytest.approx(whole.run.value, rel=1e-4)
    assert curve.lines["pca"][-1].value == pytest.approx(whole.beside["pca"].value, rel=1e-4)
    by_noise = next(one for one in card.sections["robustness"].curves if one.name == "noise_right")
    assert by_noise.lines["pixels"][0].value == 1.0


def test_codes_that_have_collapsed_are_an_alarm(small_runs, images, tmp_path):
    shutil.copytree(small_runs["ae"].path, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    weights = {name: torch.zeros_like(one) if "encoder" in name else one for name, one in run.weights.items()}
    write_tensors(run.path / "weights.safetensors", weights, {})
    assert collapse(Subject(run, images, "test", MOST)) == (
        "All images have one code: the network ignores them.",
    )
    assert collapse(Subject(small_runs["ae"], images, "test", MOST)) == ()


def test_a_card_is_kept_and_made_anew_for_other_arguments(small_runs, images, records, caplog):
    caplog.set_level("INFO")
    again = card_record(small_runs["ae"], images, most=MOST)
    assert again == records["ae"]
    assert "measuring" not in caplog.text


def test_a_card_that_was_broken_off_goes_on_where_it_was_on_another_engine_too(
    records, small_runs, images, tmp_path, monkeypatch
):
    run = Run.open(shutil.copytree(small_runs["ae"].path, tmp_path / "ae"))
    for file in (run.path / "results").glob("card-*"):
        file.unlink()
    made = []

    def broken(*_):
        raise KeyboardInterrupt

    def watched(name):
        section = make.SECTIONS[name]
        return lambda *given: made.append(name) or section(*given)

    sections = {name: watched(name) for name in make.SECTIONS}
    monkeypatch.setattr(make, "SECTIONS", {**sections, "classification": broken})
    sent = []

    def elsewhere(plan, pieces):
        computing = pickle.loads(pickle.dumps(plan.computing.on(torch.device("cpu"))))
        sent.extend(len(rows) for rows in pieces.values())
        yield from here(Encoded(computing, plan.pixels), pieces)

    with pytest.raises(KeyboardInterrupt):
        card_record(run, images, most=MOST, computed=elsewhere)
    assert made == ["reconstruction", "codes"]
    assert "card-test" not in run.results()
    monkeypatch.setattr(make, "SECTIONS", sections)
    before = len(sent)
    again = card_record(run, images, most=MOST, computed=elsewhere)
    assert 0 < before < len(sent)
    assert made == list(sections)
    assert again.card.sections == records["ae"].card.sections
    assert again.values == records["ae"].values


def test_runs_side_by_side(records, small_runs, images):
    found = compared([Compared(small_runs[one], records[one], images) for one in ("ae", "vae")])
    assert Comparison.model_validate(json.loads(json.dumps(found.to_json()))) == found
    assert found.shared == records["ae"].card.evaluated
    assert "kind" in found.settings
    measures = {one.name: one for one in found.measures}
    gap = measures["mse"].differences[0]
    assert gap.paired == found.shared
    first, second = measures["mse"].values
    assert gap.difference.value == pytest.approx(first.value - second.value, rel=1e-3)
    assert measures["nmi"].differences[0].paired is None


def test_a_run_beside_itself_differs_by_chance_alone_and_seeds_are_put_together(records, small_runs, images):
    same = Compared(small_runs["ae"], records["ae"], images)
    found = compared([same, same])
    assert not any(gap.significant for one in found.measures for gap in one.differences)
    assert found.settings == {}
    assert found.seeds[0].runs == (0, 1)
    assert found.seeds[0].measures["mse"].value == pytest.approx(found.measures[0].values[0].value)
    assert not any(one.best for one in found.measures)


def of_codes(place: Path, images: ImageSet, **model: object) -> Training:
    settings = {
        "preset": "fast",
        "threads": 1,
        "split": {"near_copies": "off"},
        "model": {"name": "residual", "width": 4, "blocks": 0, "refine": 0, **model},
        "training": {"epochs": 1, "batch_size": 32, "min_steps": 1},
    }
    return start(Experiment.parse(settings, "a plan"), place, images=images.pixels)


def test_codes_of_other_kinds_are_compared_with_a_word_of_warning(images, tmp_path):
    runs = [
        of_codes(tmp_path / name, images, **model).run
        for name, model in (
            ("one", {"code_size": 1}),
            ("ordered", {"code_size": 4, "ordered": True}),
            ("refined", {"code_size": 4, "refine": 1}),
        )
    ]
    assert compare._notes_of_codes(runs[:1]) == ()
    assert compare._notes_of_codes(runs) == (
        "Codes have 1, 4 and 4 numbers: more numbers hold more of an image, by their size alone.",
        "Codes of refined are refined when images are encoded, those of the others are not. That lowers the "
        "error; `latentspace encode --refine` does the same for any run.",
        "Codes of ordered are ordered, so that their first numbers can be used alone. That raises the error "
        "of whole codes.",
    )


def test_codes_of_one_number_have_no_map_by_pca_and_no_correlation(images, tmp_path):
    training = of_codes(tmp_path / "run", images, code_size=1, ordered=True)
    for _ in training.records():
        pass
    subject = Subject(training.run, images, "other", other=images)
    names = {row.name for row in geometry.rows_of(subject, Tally(len(subject.evaluated), 5, 0))}
    assert names == {"active_units", "trustworthiness_tsne", "continuity_tsne"}
    assert reconstruction(subject, Tally(len(subject.evaluated), 5, 0)).curves == ()  # of one size
    assert code_sizes(RunContext.of(training.run, images)) is None


def test_a_curve_ends_where_a_run_has_no_more_points(records):
    section = next(iter(records["ae"].card.sections))
    lines = {"run": tuple(Value(value=one) for one in (3.0, 2.0, 1.0))}
    long = Curve(name="c", title="error", across="numbers", points=(1.0, 2.0, 4.0), lines=lines, better=None)
    short = long.model_copy(update={"points": (1.0, 2.0), "lines": {"run": lines["run"][:2]}})
    cards = []
    for curve in (long, short):
        parts = {section: records["ae"].card.sections[section].model_copy(update={"curves": (curve,)})}
        cards.append(records["ae"].card.model_copy(update={"sections": parts}))
    (found,) = comparison._curves(cards, ["long", "short"])
    assert found.pictures[0].alt == "error: long from 3.00 to 1.00; short from 3.00 to 2.00"


@pytest.mark.parametrize(
    ("title", "unit", "said"),
    [
        ("mean squared error, worst tenth", "per pixel", "mean squared error per pixel, worst tenth"),
        ("cross-entropy", "nats", "cross-entropy, nats"),
        ("numbers of the code in use", "numbers", "numbers of the code in use"),
        ("precision", "", "precision"),
    ],
)
def test_a_measure_is_called_by_its_unit_once(title, unit, said):
    assert with_unit(title, unit) == said


def test_what_is_counted_is_written_as_a_whole_number():
    assert cell(Value(value=10.0), digits_of("numbers")) == "10"
    assert cell(Value(value=10.0), digits_of("nats")) == "10.0"
    assert cell(Value(value=0.5, low=0.4, high=0.625), 3, ", beaten") == "0.500, beaten [0.400,\xa00.625]"


def test_the_commands_write_a_page_and_one_json(small_runs, records, tmp_path):
    run = tmp_path / "ae"
    shutil.copytree(small_runs["ae"].path, run)
    code, stdout, stderr = call(["evaluate", str(run), "--card", "--most", str(MOST), "--json"])
    assert code == 0, stderr
    said = json.loads(stdout)
    assert Path(said.pop("out")) == run / "card.html"
    assert Card.model_validate(said).run == str(run)
    page = (run / "card.html").read_text(encoding="utf-8")
    assert "Report card of ae" in page
    assert "class by class: mean squared error per pixel" in page
    assert ">class A</th>" in page
    assert page.count("<figure") == sum(len(one["curves"]) for one in said["sections"].values())
    assert "The worst reconstructions" in page
    assert "Samples and training images" in page
    assert "<script" not in page


def test_compare_says_the_table_and_writes_a_page_or_one_json(small_runs, records, tmp_path):
    out = tmp_path / "compared.html"
    asked = ["compare", *(str(small_runs[one].path) for one in ("ae", "vae")), "--most", str(MOST)]
    with undrawn():
        code, stdout, stderr = call([*asked, "--out", str(out)])
    assert code == 0, stderr
    assert "settings that differ" in stdout
    page = out.read_text(encoding="utf-8")
    assert "2 runs side by side" in page
    assert "Settings that differ" in page
    code, stdout, stderr = call([*asked, "--json"])
    assert code == 0, stderr
    assert json.loads(stdout)["shared"] == MOST


@pytest.fixture(scope="module")
def others(images: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images that no run has seen, some that runs learned from among them; in colour; of other classes."""
    folder = tmp_path_factory.mktemp("others")
    pixels = np.concatenate([images.pixels[:, :, ::-1], images.pixels])
    names = np.array(images.class_names[::-1])
    labels = np.tile([images.class_names[one] for one in images.labels], 2)
    np.savez(folder / "known.npz", images=pixels, labels=labels)
    np.savez(
        folder / "unknown.npz", images=pixels, labels=np.where(labels == names[0], "none of them", labels)
    )
    np.save(folder / "plain.npy", pixels)
    np.save(folder / "colour.npy", np.random.default_rng(0).integers(0, 256, (20, 28, 28, 3), np.uint8))
    return folder


@pytest.mark.parametrize(("kind", "data"), [("ae", "known.npz"), ("classifier", "plain.npy")])
def test_other_images_are_evaluated_by_what_is_fitted_to_the_runs_own(
    small_runs, others, tmp_path, kind, data
):
    run, out = small_runs[kind], tmp_path / "card.html"
    asked = ["evaluate", str(run.path), "--card", "--data", str(others / data), "--out", str(out)]
    with undrawn():
        code, stdout, stderr = call([*asked, "--most", str(MOST), "--json"])
    assert code == 0, stderr
    card = json.loads(stdout)
    assert (card["part"], card["evaluated"]) == ("other", MOST)
    record = CardRecord.from_json(json.loads(next(kept_as(run, "card-other-*")).read_text()))
    pixels = np.load(others / data)["images"] if data.endswith("z") else np.load(others / data)
    pixels = pixels[list(record.places)]
    assert re.search(r"evaluated on \d+ images that are not its own \(", out.read_text(encoding="utf-8"))
    rows = {row["name"]: row for one in card["sections"].values() for row in one["rows"] if not row["of"]}
    if kind == "ae":
        again = np.asarray(load_trained(run).reconstruct(pixels)) - pixels / 255
        assert rows["mse"]["run"]["value"] == pytest.approx(float((again**2).mean()), rel=1e-3)
        assert "knn_accuracy" in rows
    else:
        assert "knn_accuracy" not in rows
        assert "no labels" in card["sections"]["classification"]["absent"][0]
    seen = set(run.learned_from.tolist())
    assert not seen & {int(one, 16) for one in record.images}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "{run}", "--card", "--split", "train"], "not learned from"),
        (["evaluate", "{run}", "--card", "--most", "2"], "at least 10"),
        (["evaluate", "{run}", "--card", "--out", "card.txt"], "a .html file"),
        (["evaluate", "{run}", "--most", "20"], "without --card"),
        (["evaluate", "{run}", "--card", "--data", "{other}/known.npz", "--split", "test"], "have no parts"),
        (["evaluate", "{run}", "--card", "--data", "{other}/unknown.npz"], "among the run's classes"),
        (["evaluate", "{run}", "--card", "--data", "{other}/colour.npy"], "must be as the run's"),
        (["compare", "{run}", "{run}-code-2", "--data", "{other}/known.npz"], "own"),
        (["compare", "{run}"], "at least two runs"),
        (["compare", "{run}", "{run}/../ae"], "each named once"),
        (["compare", "{run}", "{run}", "--out", "{run}/config.json"], "a .html file"),
    ],
)
def test_what_cannot_be_is_refused(small_runs, others, arguments, words):
    run = str(small_runs["ae"].path)
    code, stdout, stderr = call(
        [one.replace("{run}", run).replace("{other}", str(others)) for one in arguments]
    )
    assert (code, stdout) == (2, "")
    assert words in " ".join(stderr.split())


def test_what_a_row_is_called(records):
    rows = {row.name: titled(row) for _, row in records["ae"].card.rows() if not row.of}
    assert rows["mse_worst_tenth"] == "mean squared error per pixel, worst tenth"
    assert rows["active_units"] == "numbers of the code in use"
    assert number(4.15e-05) == "4.15e\N{MINUS SIGN}05"


def test_numbers_of_codes_done_by_hand():
    draw = np.random.default_rng(0)
    codes = draw.normal(size=(4000, 4)).astype(np.float32)
    every = np.arange(len(codes))
    assert effective_rank(codes, every) == pytest.approx(4, abs=0.01)
    assert effective_rank(codes * np.float32([1, 0, 0, 0]), every) == pytest.approx(1)
    assert total_correlation(codes, every) == pytest.approx(0, abs=0.01)
    pair = np.stack([codes[:, 0], 0.6 * codes[:, 0] + 0.8 * codes[:, 1]], axis=1)
    assert total_correlation(pair, every) == pytest.approx(-0.5 * np.log(1 - 0.6**2), abs=0.03)
    assert active_units(codes * np.float32([1, 1, 0.01, 0]), every, absolute=True) == 2
    assert active_units(codes * np.float32([1e-3, 1e-3, 0, 0]), every, absolute=False) == 2
    groups, labels = np.array([1, 1, 0, 0, 2, 2]), np.array([0, 0, 1, 1, 2, 1])
    assert GroupAgreement.of(groups, labels).accuracy == pytest.approx(5 / 6)
    assert worst_tenth(np.arange(40.0), np.arange(40)) == pytest.approx(37.5)


def test_similarity_is_one_of_equal_images_and_lower_of_others():
    one = torch.rand(3, 1, 16, 16).numpy()
    assert ssim(one, one) == pytest.approx(1)
    other = 1 - one
    assert (ssim(one, other) < 0).all()
    small = torch.rand(2, 3, 8, 8)
    assert ssim(small.numpy(), small.numpy()) == pytest.approx(1)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    draw = np.random.default_rng(1)
    held = 0
    for seed in range(100):
        values = draw.exponential(size=200)
        found = Value.of(float(values.mean()), Draws(200, 400, seed).means(values))
        held += found.low <= 1 <= found.high
    assert 86 <= held <= 99


def test_a_difference_of_the_same_images_is_seen_where_their_values_hide_it():
    draw = np.random.default_rng(2)
    hard = draw.normal(size=300) * 10
    tally = Tally(300, 400, 0)
    row = tally.mean("mse", "error", {"run": hard, "pca": hard + 0.5 + draw.normal(size=300)}, "lower")
    assert row.verdicts == {"pca": "better"}
    assert row.run.high > row.beside["pca"].low
    assert verdict_of(Value(value=1.0, low=-1.0, high=3.0), "lower") == "even"


def test_fewer_images_are_changed_where_codes_are_refined(small_runs, images, monkeypatch):
    monkeypatch.setattr(robustness_module, "REFINED", 5)
    subject = Subject(small_runs["ae"], images, "test", most=MOST)
    notes = []
    for steps in (0, 1):
        subject.encoder.model.refine = steps
        notes += robustness(subject, Tally(len(subject.evaluated), DRAWS, 0)).notes
    assert notes[0].startswith(f"Of {len(subject.evaluated)} images")
    assert "refined" not in notes[0]
    assert notes[1].startswith("Of 5 images")
    assert notes[1].endswith(
        "No more than 5 images, as each is encoded 20 times and its code refined each time."
    )
