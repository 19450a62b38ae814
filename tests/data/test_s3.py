"""`s3://` against a real server of it: folders, archives and Parquet, kept until an object changes."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from latentspace.core.errors import FetchError
from latentspace.data.config import DataConfig
from latentspace.data.imageset import ImageSet
from latentspace.data.sources import load_images
from makers import encoded, random_pixels, write_zip

pytest.importorskip("s3fs", reason="the extra s3 is not installed")
moto = pytest.importorskip("moto.server", reason="no server of S3 is installed (moto)")

PICTURES = [encoded(random_pixels(9, 9, seed=number)) for number in range(4)]
FILES = {f"{'ab'[number % 2]}/{number}.png": one for number, one in enumerate(PICTURES)}
KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client, and an empty bucket `images`; an empty cache."""
    import boto3
    import s3fs

    monkeypatch.setenv("LATENTSPACE_CACHE", str(tmp_path / "cache"))
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": address}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client = boto3.client("s3")
    client.create_bucket(Bucket="images")
    yield client
    for one in client.list_objects_v2(Bucket="images").get("Contents", []):
        client.delete_object(Bucket="images", Key=one["Key"])
    client.delete_bucket(Bucket="images")
    s3fs.S3FileSystem.clear_instance_cache()


def put(bucket: Any, name: str, content: bytes) -> None:
    bucket.put_object(Bucket="images", Key=name, Body=content)


def load(name: str) -> ImageSet:
    return load_images(DataConfig(spec=f"s3://{name}"))


def test_a_folder_is_read_and_what_changed_is_fetched_again(bucket: Any, caplog: pytest.LogCaptureFixture):
    for name, content in FILES.items():
        put(bucket, f"set/train/{name}", content)
    assert load("images/set").class_names == ("a", "b")
    put(bucket, "set/train/a/0.png", encoded(random_pixels(9, 9, seed=99)))
    bucket.delete_object(Bucket="images", Key="set/train/b/3.png")
    caplog.clear()
    with caplog.at_level(logging.INFO):
        images = load("images/set/")
    assert images.names == ("a/0.png", "a/2.png", "b/1.png")
    np.testing.assert_array_equal(images.pixels[0, 0], random_pixels(9, 9, seed=99))
    fetched = [one.getMessage() for one in caplog.records if "fetching" in one.getMessage()]
    assert fetched == ["fetching s3://images/set/train/a/0.png"]


@pytest.mark.parametrize("form", ["set.zip", "set.parquet"])
def test_a_file_is_fetched_once(bucket: Any, form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    if form == "set.zip":
        content = write_zip(tmp_path / form, FILES).read_bytes()
    else:
        file = io.BytesIO()
        pq.write_table(pa.table({"image": list(FILES.values()), "label": list("abab")}), file)
        content = file.getvalue()
    put(bucket, form, content)
    first = load(f"images/{form}")
    with caplog.at_level(logging.INFO):
        again = load(f"images/{form}")
    assert (len(first), first.class_names) == (4, ("a", "b"))
    assert first.content_hash == again.content_hash
    assert "unchanged since it was fetched" in caplog.text


def test_what_is_not_there(bucket: Any):
    for name in ("images/none.zip", "no-such-bucket/set.zip"):
        with pytest.raises(FetchError, match=rf"s3://{name} must be there.*\n  found: nothing is there"):
            load(name)


def test_what_may_not_be_read(bucket: Any, address: str):
    import requests

    put(bucket, "set.zip", b"content")
    requests.post(f"{address}/moto-api/reset-auth", data=b"0", timeout=60)
    try:
        with pytest.raises(FetchError, match=r"set\.zip must be there.*\n.*\n.*AWS_ACCESS_KEY_ID"):
            load("images/set.zip")
    finally:
        requests.post(f"{address}/moto-api/reset-auth", data=b"1e9", timeout=60)
