"""Codes of a whole set: encoded once, kept under a key of all that moves them, made again where damaged."""

import threading

import numpy as np
import pytest
import torch

from latentspace.inference.trained import encode_all
from latentspace.training import codes as module
from latentspace.training.codes import codes_of

CPU = torch.device("cpu")


@pytest.fixture
def encoded(monkeypatch):
    """How many images each encoding took, one entry a call."""
    calls: list[int] = []

    def counted(model, pixels, device):
        calls.append(len(pixels))
        return encode_all(model, pixels, device)

    monkeypatch.setattr(module, "encode_all", counted)
    return calls


@pytest.fixture
def autoencoder(plan, images):
    return plan.build(images.shape)


def test_codes_are_made_once_and_read_from_then_on(autoencoder, images, tmp_path, encoded):
    first, second = (codes_of(autoencoder, "a" * 64, images, CPU, tmp_path / "codes") for _ in range(2))
    assert encoded == [len(images)]
    assert torch.equal(first, second)
    assert torch.equal(first, codes_of(autoencoder, "a" * 64, images, CPU))


@pytest.mark.parametrize("other", ["weights", "images", "threads"])
def test_codes_of_something_else_are_others(autoencoder, images, tmp_path, encoded, other):
    codes_of(autoencoder, "a" * 64, images, CPU, tmp_path)
    threads = torch.get_num_threads()
    try:
        if other == "threads":
            torch.set_num_threads(threads + 1)
        these = images.subset(np.arange(10)) if other == "images" else images
        weights_hash = ("b" if other == "weights" else "a") * 64
        assert len(codes_of(autoencoder, weights_hash, these, CPU, tmp_path)) == len(these)
    finally:
        torch.set_num_threads(threads)
    assert encoded == [len(images), len(these)]


def test_damaged_codes_are_made_again_and_that_is_said(autoencoder, images, tmp_path, encoded, caplog):
    whole = codes_of(autoencoder, "a" * 64, images, CPU, tmp_path)
    (path,) = tmp_path.glob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert torch.equal(codes_of(autoencoder, "a" * 64, images, CPU, tmp_path), whole)
    assert "is made again: its checksum does not match" in caplog.text
    codes_of(autoencoder, "a" * 64, images, CPU, tmp_path)
    assert len(encoded) == 2


def test_one_makes_them_while_the_others_wait(autoencoder, images, tmp_path, encoded):
    found = []

    def worker():
        found.append(codes_of(autoencoder, "a" * 64, images, CPU, tmp_path))

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert encoded == [len(images)]
    assert all(torch.equal(one, found[0]) for one in found)
    assert len(found) == 3
