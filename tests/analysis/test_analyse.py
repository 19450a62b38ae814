"""What a page shows of each kind of run: the arrays are the run's own, and of its test part."""

from pathlib import Path

import numpy as np
import pytest

from latentspace.analysis import AutoencoderAnalysis, RunContext, analyse, analyse_growth
from latentspace.core.errors import ConfigurationError
from latentspace.evaluation.evaluate import evaluate
from latentspace.inference.trained import TrainedAutoencoder, TrainedClassifier
from latentspace.runs.directory import Run
from materials import make_images


@pytest.fixture(scope="module")
def ae(small_runs: dict[str, Run]) -> AutoencoderAnalysis:
    shown = analyse(RunContext.open(small_runs["ae"]))
    assert shown.denoiser is shown.variational is shown.classifier is None
    return shown.autoencoder


def test_originals_are_test_images_and_under_them_is_what_is_decoded(ae, small_runs, images):
    run = small_runs["ae"]
    test = {one.tobytes() for one in images.pixels[run.split.test]}
    assert all(one.tobytes() in test for one in ae.originals)
    assert len(ae.originals) == 10
    decoded = TrainedAutoencoder.load(run).reconstruct(ae.originals)
    assert np.array_equal(ae.reconstructions, decoded)
    expected = ((decoded - ae.originals / 255) ** 2).mean(axis=(1, 2, 3))
    assert ae.errors == pytest.approx(expected, rel=1e-5)
    assert ae.context.result.split == "test"


def test_an_autoencoder_draws_around_its_training_codes_and_a_variational_one_from_the_prior(
    ae, small_runs, images
):
    trained = TrainedAutoencoder.load(small_runs["ae"])
    codes = trained.encode(images.pixels[small_runs["ae"].split.train])
    assert ae.drawn.codes.mean(axis=0) == pytest.approx(codes.mean(axis=0), abs=float(0.1 * codes.std()))
    assert "training images" in ae.drawn.distribution
    vae = analyse(RunContext.open(small_runs["vae"])).autoencoder
    assert np.abs(vae.drawn.codes.mean(axis=0)).max() < 0.1
    assert vae.drawn.codes.std(axis=0) == pytest.approx(1, abs=0.06)
    assert "prior" in vae.drawn.distribution


def test_walks_begin_and_end_at_the_codes_of_their_images(ae, small_runs):
    trained = TrainedAutoencoder.load(small_runs["ae"])
    ends = trained.reconstruct(ae.walks.ends)
    steps = ae.walks.steps.reshape(3, 9, 1, 16, 16)
    assert np.allclose(steps[:, 0], ends[::2], atol=1e-5)
    assert np.allclose(steps[:, -1], ends[1::2], atol=1e-5)
    assert ae.walks.shares[4] == 0.5


def test_the_same_seed_shows_the_same(ae, small_runs):
    again = analyse(RunContext.open(small_runs["ae"])).autoencoder
    assert np.array_equal(again.decoded, ae.decoded)
    assert np.array_equal(again.originals, ae.originals)


def test_a_denoiser_shows_noisy_and_denoised_and_is_evaluated_beside_others(small_runs):
    context = RunContext.open(small_runs["dae"])
    shown = analyse(context, small_runs["ae"]).denoiser
    assert (shown.noisy - shown.originals / 255).std() == pytest.approx(0.1, rel=0.05)
    assert np.mean(shown.noisy_errors) == pytest.approx(0.01, rel=0.1)
    made = shown.denoised - shown.originals / 255
    assert shown.errors == pytest.approx((made**2).mean(axis=(1, 2, 3)), rel=1e-5)
    assert list(shown.noise.errors)[:2] == ["denoising autoencoder", "plain autoencoder"]
    kept = [name for name in small_runs["dae"].results() if name.startswith("noise-beside-")]
    assert kept == [f"noise-beside-{small_runs['ae'].weights_hash[:12]}"]
    alone = analyse(context).denoiser
    assert "plain autoencoder" not in alone.noise.errors


def test_the_grid_varies_the_two_dimensions_that_are_used_most(small_runs):
    context = RunContext.open(small_runs["vae"])
    shown = analyse(context).variational
    assert shown.grid is not None
    across, down = shown.grid.plan.dimensions
    order = np.argsort(shown.kl)[::-1]
    assert (across, down) == (order[0], order[1])
    codes = shown.grid.plan.codes
    varying = {int(one) for one in np.flatnonzero(codes.std(axis=0) > 0)}
    assert varying == {across, down}
    assert (min(shown.grid.plan.across), max(shown.grid.plan.across)) == pytest.approx(
        (-1.645, 1.645), abs=1e-3
    )
    assert np.array_equal(shown.grid.decoded, TrainedAutoencoder.load(small_runs["vae"]).decode(codes))
    assert shown.bce_of_copy < context.result.metrics["bce"]


def test_a_classifier_shows_its_mistakes_the_surest_first(small_runs, images):
    run = small_runs["classifier"]
    shown = analyse(RunContext.open(run)).classifier
    test = images.subset(run.split.test)
    probabilities = TrainedClassifier.load(run).probabilities(test)
    wrong = (probabilities.argmax(axis=1) != test.labels).sum()
    assert shown.mistakes.of == wrong
    assert shown.confusion.counts.sum() == len(test)
    assert np.trace(shown.confusion.counts) == len(test) - wrong
    assert np.array_equal(shown.mistaken, test.pixels[shown.mistakes.places])
    assert (np.diff(shown.mistakes.probabilities) <= 0).all()
    assert {"baselines", "times"} <= set(run.results())


def test_growth_is_in_the_order_of_the_code_sizes(small_runs):
    grown = analyse_growth([RunContext.open(small_runs[name]) for name in ("ae", "ae-code-2")])
    assert [one.code_size for one in grown] == [2, 3]
    assert grown[1].mse == small_runs["ae"].results()["test"]["mse"]


def test_what_the_test_images_gave_is_left_as_evaluate_found_it(small_runs):
    run = small_runs["vae"]
    found = evaluate(run, iwae_samples=3)
    before = (run.path / "results" / "test.json").read_bytes()
    assert RunContext.open(run).result == found
    assert found.metrics["iwae_samples"] == 3
    assert (run.path / "results" / "test.json").read_bytes() == before
    old = {name: value for name, value in run.results()["test"].items() if name != "measured"}
    run.save_result("test", {**old, "iwae_loss": 0.0})  # as it was written before it said how it was made
    assert RunContext.open(run).result == found
    assert (run.path / "results" / "test.json").read_bytes() == before


def test_a_run_that_was_not_evaluated_is_evaluated_for_its_page(small_runs):
    run = small_runs["vae"]
    (run.path / "results" / "test.json").unlink(missing_ok=True)
    assert RunContext.open(run).result.metrics["iwae_samples"] == 16
    assert run.results()["test"]["images"] == 24


def test_other_images_are_refused(small_runs, tmp_path: Path):
    from latentspace.data.config import DataConfig

    np.save(tmp_path / "others.npy", make_images(30, seed=5).pixels)
    with pytest.raises(ConfigurationError, match="its own test images"):
        RunContext.open(small_runs["ae"], DataConfig(spec=str(tmp_path / "others.npy")))
