"""What can be refused is refused before images are read; no option is dropped in silence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from latentspace.runs.directory import Run
from latentspace.training.train import start, train
from runner import call, refused


@pytest.fixture
def no_images(monkeypatch):
    """Reading any image fails the test."""

    def read(*_, **__):
        raise AssertionError("images were read")

    for place in (
        "training.train",
        "inference.conform",
        "inference.run_images",
        "inference.denoise",
        "data.sources",
    ):
        monkeypatch.setattr(f"latentspace.{place}.load_images", read)
    monkeypatch.setattr("latentspace.data.catalog.glyphs.render.render", read)


@pytest.fixture
def unfinished(plan, tmp_path) -> str:
    start(plan, tmp_path / "unfinished")
    return str(tmp_path / "unfinished")


@pytest.mark.parametrize("verb", ["evaluate", "report", "generate", "denoise"])
def test_a_run_without_weights(unfinished, tmp_path, verb, no_images):
    more = {"generate": ["--out", str(tmp_path / "o")], "denoise": [unfinished, str(tmp_path / "o")]}
    assert "must have ended" in refused(verb, unfinished, *more.get(verb, []))
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("verb", ["evaluate", "report"])
def test_damaged_weights_and_a_classifier_whose_encoder_is_gone(small_runs, tmp_path, verb, no_images):
    run = shutil.copytree(small_runs["ae"].path, tmp_path / "far" / "away" / "run")
    (run / "weights.safetensors").write_bytes(b"x")
    assert "must be whole" in refused(verb, str(run))
    lonely = shutil.copytree(small_runs["classifier"].path, tmp_path / "far" / "off" / "lonely")
    plan = lonely / "config.json"
    plan.write_text(plan.read_text().replace(str(small_runs["ae"].path), str(tmp_path / "gone")))
    assert "must be as the classifier knew it" in refused(verb, str(lonely))


def test_numbers_that_cannot_be_meant(small_runs, tmp_path, no_images):
    run, out = str(small_runs["ae"].path), str(tmp_path / "out")
    for samples in ("0", "9" * 20):
        assert "at least one sample" in refused("evaluate", run, "--iwae-samples", samples)
    for what, more, words in (
        ("samples", ["--count", "0"], "at least one image"),
        ("grid", ["--count", "0"], "at least one image a side"),
        ("grid", ["--dimensions", "0,9"], "two dimensions must differ"),
        ("grid", ["--range=2,-2"], "two finite numbers"),
        ("grid", ["--count", "101"], "at most 10,000 in all"),
        ("walk", ["--frames", "1"], "at least two frames"),
        ("walk", ["--frames", "10001"], "at most 10,000"),
    ):
        assert words in refused("generate", run, "--what", what, *more, "--out", out)
    for frames in ("1", "10001"):
        assert "at least two frames" in refused(
            "interpolate", run, "0", "1", "--frames", frames, "--out", out
        )
    assert "place in the run's test part" in refused("interpolate", run, "0", "999", "--out", out)
    assert not (tmp_path / "out").exists()


def test_a_size_that_the_network_does_not_take(small_runs, tmp_path, no_images):
    run = str(small_runs["dae"].path)
    said = refused("denoise", run, str(tmp_path), str(tmp_path / "out"), "--resize", "8x9")
    assert "must be brought to the size that the run was trained on: 16x16" in said


@pytest.mark.parametrize(
    ("verb", "setting"),
    [("train", "threads"), ("train", "devices"), ("search", "threads"), ("search", "workers")],
)
def test_more_threads_or_processes_than_the_cores_can_serve(tmp_path, verb, setting, no_images, monkeypatch):
    monkeypatch.setattr("latentspace.core.child_processes.cores", lambda: 2)
    said = refused(verb, "ae", "--data", "glyphs", "--out", str(tmp_path / "out"), f"--{setting}", "1000")
    assert f"--{setting} may be at most 64 on this machine, which has 2 cores" in said
    assert not (tmp_path / "out").exists()


def test_more_processes_that_draw_letters_than_the_cores_can_serve(tmp_path, monkeypatch):
    monkeypatch.setattr("latentspace.core.child_processes.cores", lambda: 2)
    assert "--workers may be" in refused("data", "render", "--out", str(tmp_path / "out"), "--workers", "65")


def test_a_picture_of_another_format(archive, tmp_path, no_images):
    assert "saved as one of" in refused("data", "info", str(archive), "--picture", str(tmp_path / "x.bmp"))


@pytest.mark.parametrize("verb", [["train", "ae"], ["search", "ae"], ["data", "render"]])
def test_a_place_that_is_taken_or_cannot_be_made(archive, tmp_path, verb, no_images):
    data = [] if verb == ["data", "render"] else ["--data", str(archive)]
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    for place in ("file", "full", "file/below"):
        assert "error:" in refused(*verb, *data, "--out", str(tmp_path / place))
    assert sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*")) == [
        "file",
        "full",
        "full/mine",
    ]


def test_a_search_that_cannot_be_begun(archive, tmp_path, no_images):
    begin = ["search", "ae", "--data", str(archive), "--out", str(tmp_path / "study")]
    assert "must be there, and writable" in refused(
        *begin, "--storage", "postgresql://nobody@127.0.0.1:1/none"
    )
    assert "URL of a database" in refused(*begin, "--storage", "no url")
    assert "an objective must be" in refused(*begin, "--objectives", "beauty")
    assert not (tmp_path / "study").exists()


def test_a_classifier_on_images_without_labels(plan, images, tmp_path, request):
    np.save(tmp_path / "bare.npy", images.pixels)
    data = plan.data.model_copy(update={"spec": str(tmp_path / "bare.npy")})
    train(plan.model_copy(update={"data": data}), tmp_path / "ae")
    request.getfixturevalue("no_images")
    out = tmp_path / "classifier"
    said = refused("train", "classifier", "--encoder", str(tmp_path / "ae"), "--out", str(out))
    assert "needs a label for each image" in said
    assert not out.exists()


@pytest.mark.parametrize("name", ["split.json", "metrics.jsonl", "environment.json", "data.json"])
def test_a_damaged_run_is_not_resumed(unfinished, name, no_images):
    (Path(unfinished) / name).write_text("{x}\n")
    assert f"{name} must be whole" in refused("train", "--resume", unfinished)


# What each command reads of a run beside its settings and weights; `report` reads all.
RECORDS = ("data.json", "split.json", "environment.json", "metrics.jsonl")
READ = {
    "evaluate RUN": RECORDS,
    "evaluate RUN --card": RECORDS,
    "report RUN": RECORDS,
    "explore RUN --export OUT.html": RECORDS,
    "compare RUN other --out OUT.html": RECORDS,
    "continue RUN --epochs 1 --out OUT": RECORDS,
    "push RUN OUT": RECORDS,
    "train classifier --encoder RUN --out OUT": RECORDS[:2],
    "search classifier --encoder RUN --out OUT": RECORDS[:2],
    "encode RUN --out OUT.csv": RECORDS[:2],
    "encode RUN RUN --out OUT.csv": RECORDS[:2],
    "map RUN --out OUT.csv": RECORDS[:2],
    "clusters RUN RUN --out OUT": RECORDS[:2],
    "anomalies RUN --out OUT": RECORDS[:2],
    "neighbours RUN RUN --out OUT": RECORDS[:2],
    "index RUN --out OUT": RECORDS[:2],
    "interpolate RUN 0 1 --out OUT": RECORDS[:2],
}


@pytest.fixture(scope="module")
def damaged(small_runs, tmp_path_factory):
    """A copy of a run, beside another, in which one file is damaged: its path, by the name of the file."""
    folder = tmp_path_factory.mktemp("damaged")
    shutil.copytree(small_runs["ae"].path, folder / "other")
    for name in RECORDS:
        run = shutil.copytree(small_runs["ae"].path, folder / name.partition(".")[0])
        (run / name).write_text("{}\n")
    return folder


@pytest.mark.parametrize("line", READ)
def test_a_damaged_file_is_named_before_images_are_read(damaged, line, no_images):
    for name in READ[line]:
        names = {"RUN": name.partition(".")[0], "OUT": "out", "OUT.csv": "out.csv", "OUT.html": "out.html"}
        given = [
            str(damaged / names.get(one, one)) if one in (*names, "other") else one for one in line.split()
        ]
        assert f"{name} must be whole" in refused(*given)
        assert not list(damaged.glob("out*"))


@pytest.mark.parametrize("name", [*RECORDS, "weights.safetensors", "config.json"])
def test_an_ended_run_that_is_damaged_is_not_said_to_have_ended(small_runs, tmp_path, name, no_images):
    run = shutil.copytree(small_runs["ae"].path, tmp_path / "run")
    (run / name).write_text("{x}\n")
    assert f"{name} must be whole" in refused("train", "--resume", str(run))
    if name == "metrics.jsonl":
        (run / name).write_text("")
        assert "no epoch, where the training has ended" in refused("report", str(run))


def test_a_run_that_another_process_trains_is_not_resumed(unfinished, no_images):
    with Run.open(Path(unfinished)).writing():
        assert "only one process" in refused("train", "--resume", unfinished)


def test_a_run_that_has_ended_is_not_read_again(small_runs, tmp_path, no_images):
    run = shutil.copytree(small_runs["ae"].path, tmp_path / "run")
    (run / "state").mkdir()
    (run / "state" / "last.safetensors").write_bytes(b"left by a death near the end")
    code, out, err = call(["train", "--resume", str(run)])
    assert (code, out.strip()) == (0, str(run))
    assert "has ended already: nothing to do" in err
    assert not (run / "state").exists()


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["ae"], "TASK"),
        (["--epochs", "100"], "--epochs"),
        (["--device", "cpu", "--set", "training.epochs=5"], "--set, --device"),
        (["--seeds", "1"], "--seeds"),
        (["dae", "--strict", "--out", "x", "--quiet"], "TASK, --out, --strict"),
    ],
)
def test_what_is_given_beside_resume_is_refused_by_name(unfinished, more, named, no_images):
    said = refused("train", "--resume", unfinished, *more)
    assert "--resume stands alone" in said
    assert f"found: {named} do:" in said


def test_how_much_is_said_may_be_chosen_beside_resume(unfinished):
    code, _, err = call(["train", "--resume", unfinished, "--quiet"])
    assert code == 0, err


@pytest.mark.parametrize(
    "more",
    [["--resize", "8x8"], ["--deduplicate"], ["--strict"], ["--fonts", "system"], ["--set", "data.seed=3"]],
)
@pytest.mark.parametrize("verb", ["train", "search"])
def test_a_classifier_drops_no_way_to_read_data_that_it_was_not_given(
    small_runs, tmp_path, verb, more, no_images
):
    encoder, out = str(small_runs["ae"].path), tmp_path / "out"
    said = refused(verb, "classifier", "--encoder", encoder, "--out", str(out), *more)
    assert "read as they were then" in said
    assert "no data are named" in said
    assert not out.exists()


def test_a_classifier_takes_what_its_encoder_had_and_where_pixels_stay(plan, tmp_path):
    data = plan.data.model_copy(update={"deduplicate": True})
    train(plan.model_copy(update={"data": data}), tmp_path / "ae")
    begin = ["train", "classifier", "--encoder", str(tmp_path / "ae"), "--epochs", "1", "--deduplicate"]
    code, _, err = call([*begin, "--set", "data.resident=never", "--out", str(tmp_path / "classifier")])
    assert code == 0, err
    kept = Run.open(tmp_path / "classifier").experiment.data
    assert (kept.deduplicate, kept.resident) == (True, "never")


@pytest.mark.parametrize(
    ("words", "made"),
    [
        (["clusters", "RUN", "--count", "2"], "x.csv"),
        (["clusters", "RUN", "--count", "2"], "x.html"),
        (["anomalies", "RUN", "--false-alarms", "0.5"], "x.html"),
        (["neighbours", "RUN", "DATA"], "x.png"),
        (["map", "RUN"], "x.npz"),
        (["encode", "RUN"], "x.npy"),
        (["data", "convert", "DATA"], "x.npz"),
        (["export", "RUN", "--to", "safetensors"], "x/autoencoder.safetensors"),
    ],
)
def test_what_another_makes_meanwhile_is_not_written_over(
    small_runs, archive, tmp_path, monkeypatch, words, made
):
    """As of two that began at one instant: neither found anything at the place."""
    for place in ("core.output_files", "inference.tables", "inference.export", "data.convert"):
        monkeypatch.setattr(f"latentspace.{place}.refuse_file", lambda *_, **__: None)
    theirs = tmp_path / made
    theirs.parent.mkdir(exist_ok=True)
    theirs.write_text("theirs")
    named = {"RUN": str(small_runs["ae"].path), "DATA": str(archive)}
    out = str(tmp_path / Path(made).parts[0])
    given = [named.get(one, one) for one in words]
    given += [out] if words[0] == "data" else ["--out", out]
    assert "found: a file of that name" in refused(*given)
    assert theirs.read_text() == "theirs"


@pytest.fixture
def unwritable(small_runs, tmp_path) -> Path:
    """A run in which nothing new can be written, whoever tries."""
    run = shutil.copytree(small_runs["ae"].path, tmp_path / "unwritable")
    for name in ("results", "figures"):
        shutil.rmtree(run / name, ignore_errors=True)
        (run / name).touch()
    return run


def test_a_run_that_cannot_be_written_is_evaluated_and_that_is_said_once(unwritable):
    code, out, err = call(["evaluate", str(unwritable), "--json"])
    assert (code, json.loads(out)["split"]) == (0, "test"), err
    assert err.count("cannot be kept in") == err.count("File exists") == 1
    assert err.count("measuring beside-pca") == 1  # found again by what else asks for it


def test_its_page_is_made_elsewhere_or_refused(unwritable, tmp_path, no_images):
    assert "name another place with --out" in refused("report", str(unwritable))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").touch()
    assert "must be new" in refused("report", str(unwritable), "--out", str(tmp_path / "taken"))
