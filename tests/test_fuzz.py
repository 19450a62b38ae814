"""A short `make fuzz`, and what the long one found."""

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from contracts.test_every_source import OTHERS
from fuzz.readers import READERS as FUZZERS
from fuzz.stored import OWN
from latentspace.core.atomic_files import replacing
from latentspace.core.config import overrides, read_toml
from latentspace.core.errors import ConfigurationError, DataError, LatentspaceError, RunError
from latentspace.data.config import DataConfig
from latentspace.data.readers.archives import read_archive
from latentspace.data.readers.array_files import read_array_file
from latentspace.data.readers.registry import READERS
from latentspace.data.sources import load_images
from latentspace.experiment.config import Experiment
from latentspace.runs.directory import Run
from latentspace.runs.tensors import read_tensors, write_tensors
from latentspace.training.train import resume, start, train
from makers import encoded, random_pixels, write_folder
from preloaded import run_module


def test_each_reader_of_images_has_a_fuzzer():
    ours = {name for name, reader in READERS.items() if type(reader).__module__.startswith("latentspace.")}
    assert set(OWN) <= ours
    assert set(OWN.values()) <= set(FUZZERS)
    assert not (ours - set(OWN)) & set(OTHERS), "nothing in STORED writes for them, so they need their own"


@pytest.mark.parametrize("reader", sorted({"outside", "recipes", "runs", "stored", *OWN.values()}))
def test_a_damaged_input_loads_or_is_refused_in_our_own_words(reader, tmp_path_factory):
    folder, logs = (tmp_path_factory.mktemp(name) for name in (reader, "logs"))
    count = 40 if reader in ("pictures", "runs") else 100  # these begin processes
    code, said = run_module(
        "fuzz", "--reader", reader, "--count", str(count), "--seed", "1", folder=folder, logs=logs
    )
    assert code == 0, said
    assert f"{reader}: {count} inputs" in said
    assert "0 failed" in said
    assert not list(folder.iterdir())


def npy(path: Path, header: bytes, body: bytes = b"") -> Path:
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body)
    return path


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 8, 8",
        b"(" * 5000,
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1, -8, 8)}",
        b"{'descr': '|V0', 'fortran_order': False, 'shape': (2, 8, 8)}",
    ],
)
def test_a_header_of_an_array_that_numpy_itself_stumbles_over(tmp_path, header):
    with pytest.raises(DataError):
        read_array_file(
            npy(tmp_path / "x.npy", header, bytes(64) if b"-1" in header else b""), DataConfig(), ".npy"
        )


@pytest.mark.parametrize("point", [0x110000, 0xD800, 0xFFFFFFFF])
@pytest.mark.parametrize("order", ["<", ">"])
def test_names_that_are_no_text(tmp_path, point, order):
    names = np.array(["a", "b"], dtype=f"{order}U1")
    names.view(f"{order}u4")[1] = point
    path = tmp_path / "x.npz"
    np.savez(path, images=np.zeros((2, 16, 16), np.uint8), labels=np.arange(2), class_names=names)
    with pytest.raises(DataError, match="must hold text"):
        read_array_file(path, DataConfig(), ".npz")


def zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("name.png", b"no image")
    return path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"PK\x01\x02\x14\x03\x14", b"PK\x01\x02\x14\x03\xff"),  # a version that no zip has
        (b"name.png", b"name.pn\xff"),
    ],
)
def test_a_zip_that_python_itself_stumbles_over(tmp_path, old, new):
    path = zipped(tmp_path / "x.zip")
    content = path.read_bytes().replace(old, new)
    assert content != path.read_bytes()
    if old == b"name.png":  # the flag that says that names are UTF-8
        content = content.replace(b"PK\x03\x04\x14\x00\x00\x00", b"PK\x03\x04\x14\x00\x00\x08")
        content = content.replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x08"
        )
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"must be a whole zip"):
        read_archive(path)


def test_a_member_of_a_zip_without_a_name(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"nothing")
    with pytest.raises(DataError, match="without a name"):
        read_archive(path)


def test_more_threads_than_a_number_can_say_are_a_mistake_of_the_plan(plan):
    with pytest.raises(ConfigurationError, match="threads"):
        Experiment.parse({**plan.model_dump(), "threads": 2**63}, "the plan")


def test_a_state_without_all_that_its_optimiser_remembers_is_refused(plan, tmp_path):
    training = start(plan, tmp_path / "run")
    records = training.records()
    next(records)
    records.close()
    path = tmp_path / "run" / "state" / "last.safetensors"
    tensors, notes = read_tensors(path)
    del notes["sha256"]
    write_tensors(path, {name: one for name, one in tensors.items() if not name.endswith(".step")}, notes)
    with pytest.raises(RunError, match="another optimiser"):
        list(resume(tmp_path / "run").records())


@pytest.mark.parametrize("text", ["a = " + "[" * 50_000, "a = " + "9" * 5000, "a = {b = " * 2000])
def test_a_recipe_too_deep_or_a_number_too_long(tmp_path, text):
    path = tmp_path / "deep.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="must be TOML"):
        read_toml(path)
    assert overrides([f"x={text[4:]}"]) == {"x": text[4:].strip()}


def test_a_recipe_in_another_encoding(tmp_path):
    (tmp_path / "wide.toml").write_text("a = 1", "utf-16")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_toml(tmp_path / "wide.toml")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("config.json", b"{", b"[" * 100_000),
        ("data.json", b'"height": 16', b'"height": "16x"'),
        ("data.json", b'"channels": 1', b'"channels": 33'),
        ("data.json", b'"bars', b'"\\ud800bars'),
        ("split.json", b'"train": [', b'"train": [999999, '),
        ("split.json", b'"learned_from": ["', b'"learned_from": ["ffff'),
        ("environment.json", b'"seed": 0', b'"seed": 1e999'),
        ("metrics.jsonl", b'"epoch": 1', b'"epoch": "one"'),
        ("metrics.jsonl", b'"seconds": ', b'"seconds": NaN, "x": '),
        ("metrics.jsonl", b'"train": {"loss"', b'"train": {"x": "y", "loss"'),
        ("metrics.jsonl", b'{"epoch": 1', b"[" * 100_000),
    ],
)
def test_a_damaged_file_of_a_run_is_refused_by_name(plan, tmp_path, name, old, new):
    training = start(plan, tmp_path / "run")
    records = training.records()
    next(records)
    records.close()
    path = tmp_path / "run" / name
    content = path.read_bytes()
    if name == "data.json" and old == b'"bars':
        old, new = b'"source": "', b'"source": "\\ud800'
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    run = Run.open(tmp_path / "run")
    with pytest.raises(LatentspaceError, match=name.replace(".", r"\.")):
        _ = run.experiment, run.data, run.split, run.learned_from, run.environment, run.metrics


def test_weights_and_states_of_another_network_are_refused(plan, tmp_path):
    small = train(plan, tmp_path / "small")
    wide = plan.model_copy(update={"model": plan.model.model_copy(update={"neurons": 16})})
    other = start(wide, tmp_path / "other")
    records = other.records()
    next(records)
    records.close()
    config = (tmp_path / "other" / "config.json").read_text()
    (tmp_path / "small" / "config.json").write_text(config)
    from latentspace.inference.trained import TrainedAutoencoder

    with pytest.raises(RunError, match=r"weights\.safetensors must be whole"):
        TrainedAutoencoder.load(small)
    path = tmp_path / "other" / "config.json"
    path.write_text(config.replace('"neurons": 16', '"neurons": 8'))
    with pytest.raises(RunError, match="another network"):
        list(resume(tmp_path / "other").records())


def test_a_network_that_no_machine_can_hold_is_a_mistake_of_the_plan(plan, images):
    vast = plan.model_copy(update={"model": plan.model.model_copy(update={"neurons": 10**15})})
    with pytest.raises(ConfigurationError, match="that this machine can hold"):
        vast.build(images.shape)


def test_what_a_killed_writer_left_half_written_is_swept_away(plan, tmp_path):
    training = start(plan, tmp_path / "run")
    folder = tmp_path / "run"
    (folder / "state").mkdir()
    (folder / "results").mkdir()
    for name in (
        "state/.next.safetensors.x.part",
        ".metrics.jsonl.x.part",
        ".weights.safetensors.x.part",
        ".run.log.x.part",
        "results/.test.json.x.part",
        "figures/.codes.png.x.part",
    ):
        (folder / name).write_bytes(b"half")
    with replacing(folder / "report.html") as page:  # another writer, who lives
        page.write(b"half")
        list(training.records())
        assert [one.name[:13] for one in folder.rglob("*.part")] == [".report.html."]
    assert (folder / "report.html").read_bytes() == b"half"
    assert not list(folder.rglob("*.part"))


def test_the_lock_of_a_dead_process_is_no_prison(plan, tmp_path):
    run = start(plan, tmp_path / "run").run
    script = (
        "import os, signal, sys; from pathlib import Path; from latentspace.runs.directory import Run\n"
        "with Run.open(Path(sys.argv[1])).writing(): os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(run.path)], timeout=200, check=False)
    assert done.returncode == -9
    assert (run.path / ".lock").exists()
    with run.writing():
        pass


def test_an_array_without_bytes_is_refused(tmp_path):
    np.save(tmp_path / "none.npy", np.zeros((0, 8, 8), np.uint8))
    with pytest.raises(DataError):
        read_array_file(tmp_path / "none.npy", DataConfig(), ".npy")


def test_half_a_character_in_json_is_written_as_escapes(tmp_path):
    write_folder(tmp_path, {f"{k}.png": encoded(one) for k, one in enumerate(random_pixels(4, 8, 8))})
    lines = [f'{{"file": "{k}.png", "label": "\\ud800{k % 2}", "a\\ud800": 1}}' for k in range(4)]
    (tmp_path / "labels.jsonl").write_text("\n".join(lines))
    assert load_images(DataConfig(spec=str(tmp_path))).class_names == (r"\xed\xa0\x800", r"\xed\xa0\x801")
