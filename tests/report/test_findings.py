"""The verdict of a page: what it says follows from the numbers, and it comes before any of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from latentspace.analysis import RunContext, analyse
from latentspace.core.wording import on_command_line
from latentspace.evaluation.agreement import agreement_of, compared
from latentspace.evaluation.beside_pca import quickly_beside_pca
from latentspace.evaluation.confusion import Confusion
from latentspace.inference.run_images import own_or_other
from latentspace.inference.trained import TrainedAutoencoder
from latentspace.report.findings import findings
from latentspace.report.page import Finding, Page, render
from latentspace.report.trend import Trend, trend


@pytest.fixture(scope="module")
def shown(small_runs):
    return {kind: analyse(RunContext.open(small_runs[kind])) for kind in ("ae", "dae", "classifier", "vae")}


def headlines(shown, agreement=None) -> dict[str, bool | None]:
    return {one.headline: one.good for one in findings(shown, agreement)}


def scored(shown, **metrics):
    """The same with other test metrics."""
    result = shown.context.result.model_copy(update=metrics)
    context = replace(shown.context, result=result)
    parts = {name: getattr(shown, name) for name in ("autoencoder", "classifier")}
    found = {name: replace(one, context=context) for name, one in parts.items() if one is not None}
    return replace(shown, context=context, **found)


def changed(shown, part, **values):
    """The same with other values of one part."""
    return replace(shown, **{part: replace(getattr(shown, part), **values)})


def beside(shown, **values):
    """The same with other errors beside those of PCA."""
    compared = shown.autoencoder.beside.model_copy(update=values)
    return changed(shown, "autoencoder", beside=compared)


@pytest.mark.parametrize(
    ("mse", "headline", "good"),
    [(0.05, "Better than PCA", True), (0.2, "Worse than PCA", False), (0.101, "As good as PCA", None)],
)
@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_an_error_is_set_beside_that_of_pca(shown, kind, mse, headline, good):
    found = next(
        one for one in findings(beside(shown[kind], mse=mse, pca=0.1), None) if "PCA" in one.headline
    )
    assert (found.headline, found.good) == (headline, good)
    assert f"{mse:.4g}" in found.text
    assert "0.1." in found.text
    assert bool(found.advice) is (good is not True)


@pytest.mark.parametrize(
    ("mse", "pca", "headline", "good", "advice"),
    [
        (0.02, 0.07, "Reconstructions keep most of what differs between the images", True, ""),
        (0.0999, 0.07, "Reconstructions keep most of what differs between the images", True, ""),
        (0.166, 0.2, "Reconstructions lose most of what differs between the images", None, "--code-size 6"),
        (0.166, 0.07, "Reconstructions lose most of what differs between the images", None, "--epochs"),
        (0.2, 0.07, "Reconstructions are hardly better than one mean image", False, "learning_rate"),
        (0.3, 0.07, "Reconstructions are hardly better than one mean image", False, "learning_rate"),
        (0.195, 0.196, "Reconstructions are hardly better than one mean image", False, "--code-size 6"),
    ],
)
def test_how_much_of_what_differs_is_kept(shown, mse, pca, headline, good, advice):
    with on_command_line():
        found = findings(beside(shown["ae"], mse=mse, pca=pca, mean_image=0.2), None)[1]
    assert (found.headline, found.good) == (headline, good)
    assert advice in found.advice
    assert bool(found.advice) is (good is not True)
    assert f"keep {max(0, 1 - mse / 0.2):.0%} of the variance" in found.text
    same = headlines(beside(shown["ae"], mse=0.0, pca=0.0, mean_image=0.0))
    assert not any("keep" in one or "mean image" in one for one in same)


def test_a_network_that_draws_the_mean_image_is_said_to(shown):
    """Measured, and not given."""
    run = shown["ae"].context.run
    trained = TrainedAutoencoder.load(run)
    images = own_or_other(run, None)[0]
    mean = torch.from_numpy(images.pixels[run.split.train].mean(axis=0) / 255).float()
    trained.model.decode = lambda codes: mean.expand(len(codes), *mean.shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainedAutoencoder, "load", lambda *_: trained)
        found = quickly_beside_pca(run, images)
    assert found.kept(found.mse) == pytest.approx(0, abs=1e-3)
    drawn = changed(shown["ae"], "autoencoder", beside=found)
    assert headlines(drawn)["Reconstructions are hardly better than one mean image"] is False


def test_a_code_that_no_image_moves_is_said_to_be_unused(shown):
    assert headlines(scored(shown["vae"], active_units=0))["The code is not used"] is False


def test_noise_that_is_taken_away_and_that_is_not(shown):
    noisy = changed(shown["dae"], "denoiser", noisy_errors=(0.04, 0.04), errors=(0.01, 0.01))
    assert headlines(noisy)["It removes noise"] is True
    assert "0.04 before and 0.01 after: 75% less." in findings(noisy, None)[0].text
    worse = changed(noisy, "denoiser", errors=(0.05, 0.05))
    assert headlines(worse)["It removes no noise"] is False


def test_a_classifier_is_set_beside_guessing_and_beside_pca(shown):
    one = shown["classifier"]
    heads = {"the encoder's 3 codes": 0.9, "3 principal components": 0.5, "256 raw pixels": 0.9}
    baselines = one.classifier.baselines.model_copy(update={"chance": 0.4, "heads": heads})
    one = changed(one, "classifier", baselines=baselines)
    good = headlines(scored(one, accuracy=0.95))
    assert good["Better than guessing"] is True
    assert good["Better than PCA with as many numbers"] is True
    assert "As good as PCA with as many numbers" in headlines(scored(one, accuracy=0.7))  # of 24 images
    assert headlines(scored(one, accuracy=0.45))["No better than always giving one answer"] is False
    counts = np.array([[1000, 0, 0], [8, 2, 0], [4, 1, 0]])
    lumped = changed(scored(one, accuracy=0.95), "classifier", confusion=Confusion(counts, tuple("ABC")))
    assert headlines(lumped)["Nearly all answers are one class"] is False


def records(scores, name="mse"):
    return [{"epoch": epoch, "validation": {name: one}} for epoch, one in enumerate(scores, start=1)]


def test_where_a_validation_score_was_going():
    falling = [1 / epoch for epoch in range(1, 21)]
    assert trend(records(falling), "mse", "minimize").course == "better"
    level = [*falling[:10], *[0.1 + 0.0001 * (-1) ** epoch for epoch in range(10)]]
    assert trend(records(level), "mse", "minimize").course == "level"
    rising = [*falling[:10], *[0.1 + 0.01 * epoch for epoch in range(10)]]
    found = trend(records(rising), "mse", "minimize")
    assert (found.course, found.best) == ("worse", 10)
    assert found.change == pytest.approx(0.8)
    assert trend(records([1, 0.5]), "mse", "minimize").course == "short"
    assert trend([{"epoch": 1, "train": {"mse": 1}}], "mse", "minimize") == Trend("unknown", 0.0, 0, 0)
    rates = [1 - one for one in falling]
    assert trend(records(rates, "accuracy"), "accuracy", "maximize").course == "better"
    assert trend(records([1 - one for one in rising], "accuracy"), "accuracy", "maximize").best == 10


@pytest.mark.parametrize(
    ("scores", "training", "headline", "good", "advice"),
    [
        ([1 / epoch for epoch in range(1, 21)], {}, "Not trained to the end", False, "--epochs 50"),
        ([0.5, 0.1, *[0.3] * 8], {}, "Trained too long", False, "--keep best"),
        ([0.5, 0.1, *[0.3] * 8], {"keep": "best"}, "Trained long enough", True, ""),
        ([0.5, 0.1, *[0.1] * 8], {}, "Trained long enough", True, ""),
        ([0.5], {}, "Hardly trained", False, "--epochs"),
        ([0.5], {"early_stopping": 3}, "Hardly trained", False, "--set training.early_stopping=6"),
        ([], {}, "Trained enough? Unknown", None, ""),
    ],
)
def test_whether_it_was_trained_long_enough(shown, monkeypatch, scores, training, headline, good, advice):
    run = shown["ae"].context.run
    plan = run.experiment.with_training(epochs=25, **training)
    monkeypatch.setattr("latentspace.runs.directory.Run.metrics", property(lambda self: records(scores)))
    monkeypatch.setattr("latentspace.runs.directory.Run.experiment", property(lambda self: plan))
    with on_command_line():
        found = findings(shown["ae"], None)[-1]
    assert (found.headline, found.good) == (headline, good)
    assert advice in found.advice


def test_a_network_that_fits_its_training_images_far_better_than_others_is_not_praised(shown, monkeypatch):
    course = [{**one, "train": {"mse": 0.01}} for one in records([0.5, 0.1, 0.1])]
    monkeypatch.setattr("latentspace.runs.directory.Run.metrics", property(lambda self: course))
    found = findings(shown["ae"], None)[-1]
    assert (found.headline, found.good) == ("It fits the training images far better than others", None)
    assert found.text == (
        "Its validation score hardly changed in the last of 3 epochs; it was best in epoch 2. At the end it "
        "was 0.1, and the score of the images that it learned from 0.01."
    )


def test_parts_that_differ_beyond_chance(shown):
    draw = np.random.default_rng(0)
    same, other = draw.normal(0.1, 0.03, (2, 300))
    assert not compared("error", same, other).differ
    apart = compared("error", same, other * 1.5, groups=12)
    assert apart.differ
    assert "there are 12 groups" in apart.words
    assert "for 300 and 300 images" in apart.words
    assert headlines(shown["ae"], apart)["Validation and test disagree"] is False
    assert not compared("error", same, other * 1.05).differ  # certain perhaps, but small
    assert not compared("error", same[:4], other[:4] * 1.5).differ
    assert not compared("share of wrong answers", np.zeros(5), np.zeros(5)).differ


def test_each_kind_is_evaluated_image_by_image(small_runs, images):
    for kind, run in small_runs.items():
        found = agreement_of(run, images)
        assert found.images == (24, 24)
        assert 0 <= found.chance <= 1
        result = RunContext.of(run, images).result.metrics
        if kind == "classifier":
            assert found.test == pytest.approx(1 - result["accuracy"])
        elif "mse" in result:
            assert found.test == pytest.approx(result["mse"], rel=1e-5)
            assert found.validation == pytest.approx(run.metrics[-1]["validation"]["mse"], rel=1e-5)


def test_findings_stand_before_the_tables_and_options_are_unbroken():
    good = Finding("It works", "By 3.", True)
    bad = Finding("It <fails>", "By 4.", False, "Try --set model.code_size=4, or --epochs 20.")
    html = render(Page("t", "l", findings=(good, bad)))
    assert html.index("It works") < html.index("<main>")
    assert '<li class="good"><b>It works.</b> By 3.</li>' in html
    assert "It &lt;fails&gt;" in html
    assert "<code>--set model.code_size=4</code>, or <code>--epochs 20</code>." in html
    assert '<li class="open">' in render(Page("t", "l", findings=(Finding("Hm", "?"),)))
