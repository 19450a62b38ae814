"""Formats that are known and not read: what they are called, and what to do instead."""

from typing import Final

_UNPACK: Final = "unpack it, and name the folder"
_FRAMES: Final = "save its frames as images, for example: ffmpeg -i FILE frames/%05d.png"
_ARRAYS: Final = "open it with its own library, and save arrays: numpy.savez(path, images=..., labels=...)"
_TEXT: Final = "if it is a table or a list of files, call it .csv, .tsv or .txt"
_SLICES: Final = "save its images as TIFF or PNG, and name their folder"

_BEGINNINGS: Final = (
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (0, b"Rar!", "a RAR archive", _UNPACK),
    (0, b"\x04\x22\x4d\x18", "a file compressed by LZ4", _UNPACK),
    (0, b"%PDF", "a PDF", "save its pages as images, and name their folder"),
    (4, b"ftypqt", "a video", _FRAMES),
    (4, b"ftypmp4", "a video", _FRAMES),
    (4, b"ftypiso", "a video", _FRAMES),
    (8, b"AVI ", "a video", _FRAMES),
    (0, b"\x1aE\xdf\xa3", "a video", _FRAMES),
    (0, b"SQLite format 3\0", "an SQLite database", _ARRAYS),
    (0, b"\x0e\x03\x13\x01", "an HDF4 file", _ARRAYS),
    (0, b"CDF\x01", "a netCDF file", _ARRAYS),
    (0, b"\xd0\xcf\x11\xe0", "a document of Microsoft Office", "save the table as CSV"),
)
_NAMES: Final = (
    (".tfrecord", "TFRecord", _ARRAYS),
    (".mdb", "LMDB", _ARRAYS),
    (".rec", "MXNet's RecordIO", _ARRAYS),
    (".safetensors", "weights in safetensors", "name images"),
    (".arff", "Weka's ARFF", "save the table as CSV"),
    (".nii", "NIfTI", _SLICES),
    (".czi", "Zeiss's CZI", _SLICES),
    (".lif", "Leica's LIF", _SLICES),
    (".nd2", "Nikon's ND2", _SLICES),
)


def foreign(name: str, start: bytes) -> tuple[str, str] | None:
    """What a file is that is not read, and what to do; None where it is unknown."""
    for place, mark, found, do in _BEGINNINGS:
        if start[place : place + len(mark)] == mark:
            return found, do
    for ending, found, do in _NAMES:
        before, there, after = name.casefold().rpartition(ending)
        if there and before and not after[:1].isalpha() and "." not in after.removesuffix(".gz"):
            return found, do
    return ("text", _TEXT) if _is_text(start) else None


def _is_text(start: bytes) -> bool:
    try:
        return bool(start.strip()) and start.decode("ascii").replace("\n", "").replace("\t", "").isprintable()
    except UnicodeDecodeError:
        return False
