"""Codes as a table: the same numbers in every format, whole or not there, gone on with to the same bytes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from PIL import Image

import latentspace
from latentspace.core.errors import ConfigurationError, DataError, OutputError
from latentspace.core.progress import heard_by
from latentspace.inference import encoding
from latentspace.inference.conform import conformed
from latentspace.inference.encoding import EncodingPlan, encode_to
from latentspace.inference.run_images import asked_images, own_or_other
from latentspace.inference.shard import Shard
from latentspace.inference.trained import TrainedAutoencoder
from runner import call


@pytest.fixture
def encoding_plan(small_runs):
    run = small_runs["ae"]
    return EncodingPlan(run, TrainedAutoencoder.load(run), *own_or_other(run, None), precision="32")


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(encoding, "PIECE", 16)


def expected(plan):
    pixels = plan.images.pixels
    codes = plan.trained.encode(pixels)
    wrong = (plan.trained.decode(codes) - pixels / np.float32(255)) ** 2
    return codes, wrong.mean(axis=(1, 2, 3))


def test_more_shares_than_images_are_refused_before_anything_is_made(encoding_plan, tmp_path):
    images = len(encoding_plan.images)
    with pytest.raises(ConfigurationError, match="each share of a set has at least one image"):
        encode_to(replace(encoding_plan, shard=Shard(1, images + 1)), tmp_path / "codes.npy")
    assert list(tmp_path.iterdir()) == []
    assert [len(Shard(number, images).rows(images)) for number in (1, images)] == [1, 1]


@pytest.mark.parametrize("ending", ["parquet", "csv", "npz", "npy"])
def test_every_format_holds_the_codes_in_the_order_of_the_images(
    encoding_plan, small_pieces, tmp_path, ending
):
    out = tmp_path / f"codes.{ending}"
    facts = encode_to(encoding_plan, out)
    codes, errors = expected(encoding_plan)
    assert facts["mse"] == pytest.approx(errors.mean(), rel=1e-5)
    if ending == "npy":
        found = np.load(out)
    elif ending == "npz":
        with np.load(out) as table:
            found = table["code"]
            assert table["name"].tolist() == list(encoding_plan.images.names)
            np.testing.assert_allclose(table["mse"], errors, rtol=1e-4)
    elif ending == "csv":
        table = pyarrow.csv.read_csv(out)
        assert table.column_names == ["name", "label", "part", "learned_from", "c0", "c1", "c2", "mse"]
        found = np.stack([table[f"c{number}"].to_numpy() for number in range(3)], axis=1)
    else:
        table = pq.read_table(out)
        found = np.array(table["code"].to_pylist())
        assert table["label"].to_pylist() == [
            encoding_plan.images.class_names[one] for one in encoding_plan.images.labels
        ]
        parts = np.array(table["part"].to_pylist())
        np.testing.assert_array_equal(np.flatnonzero(parts == "test"), encoding_plan.run.split.test)
        np.testing.assert_array_equal(table["learned_from"].to_numpy(), parts == "train")
    np.testing.assert_allclose(found, codes, atol=1e-6)
    assert [one.name for one in tmp_path.iterdir()] == [out.name]


def test_shards_are_the_whole_table_cut(encoding_plan, tmp_path):
    parts = []
    for number in (1, 2, 3):
        out = tmp_path / f"{number}.npy"
        encode_to(replace(encoding_plan, shard=Shard(number, 3)), out)
        parts.append(np.load(out))
    np.testing.assert_allclose(np.concatenate(parts), expected(encoding_plan)[0], atol=1e-6)


def test_an_interrupted_encode_goes_on_to_the_same_bytes(encoding_plan, small_pieces, tmp_path, monkeypatch):
    whole, out = tmp_path / "whole.parquet", tmp_path / "codes.parquet"
    encode_to(encoding_plan, whole)
    real, calls = encoding.codes_and_errors, []

    def stops(*arguments, **more):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **more)

    monkeypatch.setattr(encoding, "codes_and_errors", stops)
    with pytest.raises(KeyboardInterrupt):
        encode_to(encoding_plan, out)
    assert not out.exists()
    with pytest.raises(OutputError, match="was begun and not ended"):
        encode_to(encoding_plan, out)
    with pytest.raises(OutputError, match="the same run, images and settings"):
        encode_to(replace(encoding_plan, errors=False), out, resume=True)
    encode_to(encoding_plan, out, resume=True)
    assert out.read_bytes() == whole.read_bytes()
    pieces = -(-len(encoding_plan.images) // 16)
    assert len(calls) == pieces + 1  # two whole ones were not computed again; the third was begun twice


def test_resume_goes_on_also_where_a_table_is_to_be_replaced(
    encoding_plan, small_pieces, tmp_path, monkeypatch
):
    out = tmp_path / "codes.npy"
    out.write_bytes(b"before")
    with monkeypatch.context() as stopped:
        stopped.setattr(encoding, "write_table", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            encode_to(encoding_plan, out, force=True)
    assert out.read_bytes() == b"before"
    with monkeypatch.context() as refused:
        refused.setattr(encoding, "codes_and_errors", None)  # nothing is computed again
        encode_to(encoding_plan, out, resume=True, force=True)
    np.testing.assert_allclose(np.load(out), expected(encoding_plan)[0], atol=1e-6)
    (tmp_path / "codes.npy.pieces").mkdir()
    encode_to(encoding_plan, out, resume=True, force=True)  # others are begun anew


def test_two_that_encode_to_one_table(encoding_plan, small_pieces, tmp_path, monkeypatch):
    out, real, refused = tmp_path / "codes.npy", encoding.write_table, []

    def meets_another(*arguments, **more):
        for given in ({}, {"resume": True}, {"force": True}):
            with pytest.raises(OutputError) as error:
                encode_to(encoding_plan, out, **given)
            refused.append(error.value.found)
        real(*arguments, **more)

    monkeypatch.setattr(encoding, "write_table", meets_another)
    encode_to(encoding_plan, out)
    assert refused == ["another one is writing there now"] * 3
    assert [one.name for one in tmp_path.iterdir()] == ["codes.npy"]
    monkeypatch.setattr(encoding, "refuse_table", lambda *_, **__: None)  # both have begun by then
    with pytest.raises(OutputError, match="must be new"):
        encode_to(encoding_plan, out)
    assert [one.name for one in tmp_path.iterdir()] == ["codes.npy"]


def test_progress_is_told_of_within_a_piece(encoding_plan, small_pieces, tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "BATCH", 8)
    told, images = [], len(encoding_plan.images)
    with heard_by(lambda what, done, total: told.append((what, done, total))):
        encode_to(encoding_plan, tmp_path / "codes.npy")
    counted = {(done, total) for what, done, total in told if what == "images encoded"}
    assert {total for _, total in counted} == {images}
    assert sorted(done for done, _ in counted) == [*range(8, images, 8), images]


def test_images_of_several_sizes_come_from_their_own_to_the_runs(small_runs, tmp_path, caplog):
    run, (side, _) = small_runs["ae"], small_runs["ae"].data.shape[1:]
    draw = np.random.default_rng(0)
    for name, sides in (("a", (side, side)), ("b", (side // 2, side // 2)), ("c", (2 * side, side))):
        Image.fromarray(draw.integers(0, 255, sides, dtype=np.uint8)).save(tmp_path / f"{name}.png")
    each = [asked_images(run, str(tmp_path / f"{name}.png"), {})[0] for name in "abc"]
    expected = np.concatenate([conformed(one, run.data.shape, "crop").pixels for one in each])
    images, _ = asked_images(run, str(tmp_path), {})
    np.testing.assert_array_equal(images.pixels, expected)
    trained = TrainedAutoencoder.load(run)
    np.testing.assert_allclose(trained.encode(tmp_path), trained.encode(expected), atol=1e-5)
    with pytest.raises(ConfigurationError, match="the size that the run was trained on"):
        asked_images(run, str(tmp_path), {"resize": (side // 2, side // 2)})
    with pytest.raises(DataError):
        asked_images(run, str(tmp_path), {"strict": True})


def test_a_map_of_one_share_is_refused(encoding_plan, tmp_path):
    with pytest.raises(ConfigurationError, match="a map is of all images"):
        encode_to(replace(encoding_plan, extras=("map",), shard=Shard(1, 2)), tmp_path / "codes.npz")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_piece_is_named(encoding_plan, small_pieces, tmp_path, monkeypatch):
    out = tmp_path / "codes.npz"
    monkeypatch.setattr(encoding, "write_table", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        encode_to(encoding_plan, out)
    monkeypatch.undo()
    (tmp_path / "codes.npz.pieces" / "000001.npz").write_bytes(b"PK")
    monkeypatch.setattr(encoding, "PIECE", 16)
    with pytest.raises(OutputError, match=r"000001\.npz must be a whole piece"):
        encode_to(encoding_plan, out, resume=True)
    encode_to(encoding_plan, out, force=True)
    assert out.exists()


def test_images_and_a_map_lie_in_the_one_parquet(encoding_plan, tmp_path, monkeypatch):
    out = tmp_path / "codes.parquet"
    monkeypatch.setattr(encoding, "DRAWN", 10 * encoding_plan.images.pixels[0].size)
    encode_to(replace(encoding_plan, extras=("images", "map")), out)
    assert pq.ParquetFile(out).metadata.row_group(0).num_rows == 10  # no more are drawn at once
    table = pq.read_table(out)
    np.testing.assert_allclose(np.stack(table["code"].to_numpy()), expected(encoding_plan)[0], atol=1e-6)
    first = table["image"][0].as_py()
    assert first["path"] == table["name"][0].as_py()
    from io import BytesIO

    np.testing.assert_array_equal(
        np.asarray(Image.open(BytesIO(first["bytes"]))), encoding_plan.images.pixels[0, 0]
    )
    places = np.stack([table["x"].to_numpy(), table["y"].to_numpy()], axis=1)
    assert abs(places.mean(axis=0)).max() < 1e-4
    assert places[:, 0].std() >= places[:, 1].std() > 0


def files_of(images, folder: Path) -> Path:
    folder.mkdir()
    for number, one in enumerate(images.pixels[:9]):
        Image.fromarray(one[0]).save(folder / f"img{number}.png")
    (folder / "img5.png").write_bytes(b"no image")
    return folder


def test_the_command_names_each_file(small_runs, images, tmp_path):
    folder = files_of(images, tmp_path / "new")
    out = tmp_path / "codes.csv"
    code, stdout, _ = call(["encode", str(small_runs["vae"].path), str(folder), "--out", str(out)])
    assert (code, stdout) == (0, f"{out}\n")
    table = pyarrow.csv.read_csv(out)
    assert table.column_names == ["name", "learned_from", "c0", "c1", "c2", "mse"]
    assert table["name"].to_pylist() == [f"img{number}.png" for number in range(9) if number != 5]
    one = tmp_path / "one.npy"
    code, stdout, _ = call(
        ["encode", str(small_runs["vae"].path), str(folder / "img3.png"), "--out", str(one), "--json"]
    )
    assert code == 0
    assert json.loads(stdout)["images"] == 1
    np.testing.assert_allclose(np.load(one)[0], [table[f"c{n}"][3].as_py() for n in range(3)], atol=1e-5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "{}/codes.txt"], ".parquet, .csv, .npz, .npy"),
        (["--out", "{}/there.csv"], "must be new"),
        (["--out", "{}/folder.csv"], "a folder"),
        (["--out", "{}/there.csv/codes.csv"], "Not a directory"),
        (["--out", "{}/codes.csv", "--with", "beauty"], "images, map"),
        (["--out", "{}/codes.csv", "--with", "images"], "holds pictures"),
        (["--out", "{}/codes.csv", "--shard", "3/2"], "NUMBER/OF"),
        (["--out", "{}/codes.csv", "--precision", "16"], "precision"),
        (["{}/nowhere", "--out", "{}/codes.csv"], "nowhere"),
        (["{}/odd.npy", "--strict", "--out", "{}/codes.csv"], "found: 1x9x7"),
        (["{}/odd.png", "--strict", "--out", "{}/codes.csv"], "found: 1x9x7"),
    ],
)
def test_bad_input_is_one_clear_error(small_runs, tmp_path, words, said):
    (tmp_path / "there.csv").write_text("kept")
    (tmp_path / "folder.csv").mkdir()
    odd = np.zeros((9, 7), np.uint8)
    np.save(tmp_path / "odd.npy", odd[None])
    Image.fromarray(odd).save(tmp_path / "odd.png")
    given = [one.format(tmp_path) for one in words]
    code, stdout, stderr = call(["encode", str(small_runs["ae"].path), *given])
    assert (code, stdout) == (2, "")
    assert said in stderr
    assert "Traceback" not in stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        *("folder.csv", "odd.npy", "odd.png", "there.csv")
    ]
    assert (tmp_path / "there.csv").read_text() == "kept"


def test_a_classifiers_run_has_no_codes_of_its_own_here(small_runs, tmp_path):
    code, _, stderr = call(["encode", str(small_runs["classifier"].path), "--out", str(tmp_path / "c.csv")])
    assert code == 2
    assert "encoder" in stderr


def test_force_replaces(small_runs, tmp_path):
    out = tmp_path / "codes.npy"
    out.write_bytes(b"old")
    code, _, _ = call(["encode", str(small_runs["ae"].path), "--out", str(out), "--force"])
    assert code == 0
    assert np.load(out).shape[1] == 3


def test_load_opens_a_classifier_and_it_classifies(small_runs, images):
    trained = latentspace.load(small_runs["classifier"].path)
    assert isinstance(trained, latentspace.TrainedClassifier)
    names = trained.predict(images)
    assert names == tuple(
        images.class_names[one] for one in trained.probabilities(images.pixels).argmax(axis=1)
    )
    assert trained.encode(images.pixels).shape == (len(images), 3)
    with pytest.raises(DataError):
        trained.predict(np.zeros((2, 1, 9, 9), np.uint8))


@pytest.mark.parametrize("errors", [True, False])
def test_refined_codes_are_nearer_to_their_images(encoding_plan, small_pieces, tmp_path, errors):
    plan = replace(encoding_plan, refine=1, errors=errors, shard=Shard(2, 5))
    assert plan.piece == 2
    facts = encode_to(plan, tmp_path / "codes.npz")
    rows = plan.shard.rows(len(plan.images))
    codes, before = (one[rows] for one in expected(plan))
    with np.load(tmp_path / "codes.npz") as table:
        found = table["code"]
        assert ("mse" in table) is errors
    pixels = plan.images.pixels[rows] / np.float32(255)
    after = ((plan.trained.decode(found) - pixels) ** 2).mean(axis=(1, 2, 3))
    assert (after <= before + 1e-6).all()
    assert after.mean() < before.mean()
    assert not np.allclose(found, codes)
    if errors:
        assert facts["mse"] == pytest.approx(after.mean(), rel=1e-4)
        assert facts["mse_before_refinement"] == pytest.approx(before.mean(), rel=1e-4)
