"""HEIC, AVIF, DICOM and FITS: small files that their own libraries write are read as they were meant."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

import latentspace
from latentspace.core.errors import DataError
from makers import encoded, random_pixels, write_zip

GREY = random_pixels(16, 24)
SMOOTH = np.stack(np.meshgrid(np.arange(0, 240, 10), np.arange(0, 160, 10)), axis=-1).astype(np.uint8)
COLOUR = np.concatenate([SMOOTH, np.full((16, 24, 1), 90, np.uint8)], axis=2)


def read(folder: Path) -> latentspace.ImageSet:
    return latentspace.load_data(str(folder))


def class_folders(folder: Path, ending: str, content: bytes) -> Path:
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            (folder / name / f"{number}{ending}").write_bytes(content)
    return folder


def dicom(values: np.ndarray, **tags: Any) -> bytes:
    """A file of one frame, as pydicom writes it."""
    pydicom = pytest.importorskip("pydicom", reason="the extra dicom is not here")
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns = values.shape[:2]
    data.SamplesPerPixel = 1 if values.ndim == 2 else 3
    data.PhotometricInterpretation = "MONOCHROME2" if values.ndim == 2 else "RGB"
    if values.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * values.dtype.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    data.PixelData = values.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, data)
    return stream.getvalue()


def test_dicom_is_read_by_its_levels(tmp_path: Path):
    slices = np.linspace(0, 2000, GREY.size).reshape(GREY.shape).astype(np.int16)
    content = dicom(slices, RescaleSlope="1", RescaleIntercept="-1000")
    images = read(class_folders(tmp_path / "ct", ".dcm", content))
    assert images.class_names == ("cat", "dog")
    expected = np.rint(slices * (255 / 2000))
    assert np.abs(images.pixels[0, 0] - expected).max() <= 1
    assert images.record.levels[0].low == -1000


def test_dicom_of_bytes_inverted_ones_and_colour(tmp_path: Path):
    for name, content, expected in (
        ("bytes", dicom(GREY), GREY[None]),
        ("inverted", dicom(GREY, PhotometricInterpretation="MONOCHROME1"), 255 - GREY[None]),
        ("colour", dicom(COLOUR), COLOUR.transpose(2, 0, 1)),
    ):
        images = read(class_folders(tmp_path / name, ".dcm", content))
        np.testing.assert_array_equal(images.pixels[0], expected, name)


def test_dicom_without_an_ending_and_a_damaged_one(tmp_path: Path):
    folder = class_folders(tmp_path / "mixed", "", dicom(GREY))
    (folder / "cat" / "bad.dcm").write_bytes(dicom(GREY)[:300])
    images = read(folder)
    assert len(images) == 4
    assert [one.name for one in images.record.unreadable] == ["cat/bad.dcm"]
    assert "DICOM" in images.record.unreadable[0].reason


@pytest.mark.parametrize("ending", [".fits", ".fit"])
def test_fits_of_floats_and_of_several_channels(tmp_path: Path, ending: str):
    library = pytest.importorskip("astropy.io.fits", reason="the extra fits is not here")
    for name, values, shape in (
        ("plane", (GREY / np.float32(255)).astype(">f4"), (1, 16, 24)),
        ("cube", np.stack([GREY // 2] * 5).astype(np.int16), (5, 16, 24)),
    ):
        stream = io.BytesIO()
        library.HDUList([library.PrimaryHDU(), library.ImageHDU(values)]).writeto(stream)
        images = read(class_folders(tmp_path / name, ending, stream.getvalue()))
        assert images.shape == shape
        expected = GREY if name == "plane" else GREY // 2
        assert np.abs(images.pixels[0, 0].astype(int) - expected).max() <= 1


def test_heic_of_a_phone_is_read_also_where_it_is_called_jpg(tmp_path: Path):
    library = pytest.importorskip("pillow_heif", reason="the extra heic is not here")
    stream = io.BytesIO()
    library.from_bytes(mode="RGB", size=(24, 16), data=COLOUR.tobytes()).save(stream, quality=100, chroma=444)
    folder = class_folders(tmp_path / "phone", ".heic", stream.getvalue())
    (folder / "cat" / "really.jpg").write_bytes(stream.getvalue())
    images = read(folder)
    assert len(images) == 5
    assert np.abs(images.pixels.astype(int) - COLOUR.transpose(2, 0, 1)).mean() < 4


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read(tmp_path: Path):
    content = encoded(COLOUR, "AVIF", quality=100, subsampling="4:4:4")
    images = read(class_folders(tmp_path / "web", ".avif", content))
    assert np.abs(images.pixels.astype(int) - COLOUR.transpose(2, 0, 1)).mean() < 4


@pytest.mark.parametrize(
    ("start", "extra"),
    [
        (b"\0\0\0\x18ftypheic", "heic"),
        (b"\0" * 128 + b"DICM", "dicom"),
        (b"SIMPLE  =                    T", "fits"),
    ],
)
def test_without_the_library_the_error_names_the_extra(tmp_path, monkeypatch, start, extra):
    for module in ("pillow_heif", "pydicom", "astropy.io"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    folder = class_folders(tmp_path / "x", ".img", start.ljust(400, b"\0"))
    zipped = write_zip(tmp_path / "x.zip", {f"{one}.img": start.ljust(400, b"\0") for one in range(2)})
    for source in (folder, zipped):
        with pytest.raises(DataError, match=rf"latentspace\[{extra}\]"):
            read(source)


def test_deep_colour_of_png_and_ppm_keeps_its_16_bits(tmp_path: Path):
    """Two values that differ in their lower bytes alone; and a 16-bit PNG that turned bytes into 16 bits."""
    values = random_pixels(16, 24, 3).astype(np.uint16) + 40_000
    for name, content in (
        ("png", png(values)),
        ("ppm", b"P6 24 16 65535\n" + values.astype(">u2").tobytes()),
    ):
        images = read(class_folders(tmp_path / name, f".{name}", content))
        low, high = values.min(), values.max()
        expected = np.rint((values - low) * (255 / (high - low))).transpose(2, 0, 1)
        np.testing.assert_array_equal(images.pixels[0], expected, name)
    wide = COLOUR.astype(np.uint16) * 257
    images = read(class_folders(tmp_path / "wide", ".png", png(wide)))
    assert np.abs(images.pixels[0].astype(int) - COLOUR.transpose(2, 0, 1)).max() <= 1
    alpha = np.concatenate([wide, np.full((16, 24, 1), 65535, np.uint16)], axis=2)
    clear = read(class_folders(tmp_path / "alpha", ".png", png(alpha)))
    np.testing.assert_array_equal(clear.pixels, images.pixels)
    cut = png(values)[:-60]
    folder = class_folders(tmp_path / "cut", ".png", png(values))
    (folder / "cat" / "9.png").write_bytes(cut)
    assert [one.name for one in read(folder).record.unreadable] == ["cat/9.png"]


def png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits in colour, which Pillow does not write."""
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    height, width, channels = values.shape
    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    assert Image.open(io.BytesIO(b"\x89PNG\r\n\x1a\n" + body)).size == (width, height)
    return b"\x89PNG\r\n\x1a\n" + body


def test_dicom_with_a_palette_and_with_padding_and_without_a_preamble(tmp_path: Path):
    def table(numbers: np.ndarray) -> bytes:
        return (numbers.astype(np.uint16) * 257).tobytes()

    levels = np.arange(256)
    tags = {"PhotometricInterpretation": "PALETTE COLOR"}
    for name, numbers in (("Red", levels[::-1]), ("Green", levels), ("Blue", levels * 0 + 7)):
        tags[f"{name}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        tags[f"{name}PaletteColorLookupTableData"] = table(numbers)
    images = read(class_folders(tmp_path / "palette", ".dcm", dicom(GREY, **tags)))
    np.testing.assert_array_equal(images.pixels[0], [255 - GREY, GREY, np.full_like(GREY, 7)])

    padded = np.linspace(1000, 1255, GREY.size).reshape(GREY.shape).astype(np.int16)
    padded[0] = -2000
    images = read(class_folders(tmp_path / "padded", "", dicom(padded, PixelPaddingValue=-2000)[132:]))
    assert images.record.levels[0].low == padded[1:].min()
    assert images.pixels[0, 0, 0].max() == 0


def test_dicom_of_several_frames_and_a_cube_of_fits_are_stacks(tmp_path: Path):
    frames = random_pixels(3, 16, 24)
    content = dicom(frames[0], NumberOfFrames=3, PixelData=frames.tobytes())
    (tmp_path / "film.dcm").write_bytes(content)
    images = read(tmp_path / "film.dcm")
    np.testing.assert_array_equal(images.pixels[:, 0], frames)
    assert images.names[2] == "film.dcm#2"
    fits = pytest.importorskip("astropy.io.fits", reason="the extra fits is not here")
    cube = frames.astype(np.float32)
    cube[0, 0, 0] = np.nan
    fits.PrimaryHDU(cube).writeto(tmp_path / "cube.fits")
    images = read(tmp_path / "cube.fits")
    np.testing.assert_array_equal(images.pixels[1:, 0], frames[1:])
    assert images.pixels[0, 0, 0, 0] == np.nanmin(cube[0])
    assert "without a value" in images.record.conversions[-1]
