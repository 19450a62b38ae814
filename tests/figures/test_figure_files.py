"""How figures look and leave: fonts that have the letters, files that are whole, no trace in matplotlib."""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import latentspace.figures
from latentspace.core.errors import ConfigurationError, OutputError
from latentspace.data.imageset import ImageSet
from latentspace.figures import Term, draw_curves, draw_samples, loss_curves, png, sample_images, save
from latentspace.figures.style import BODY, DPI, WIDTH
from latentspace.figures.text import legible, text_width, wrapped


def curves() -> Figure:
    return draw_curves(loss_curves([{"epoch": 1, "train": {"mse": 0.1}}], [Term("mse", "error")]))


def test_the_public_names() -> None:
    assert set(latentspace.figures.__all__) == {
        *("Term", "Curve", "Panel", "LossCurves", "loss_curves", "draw_curves", "curves_caption"),
        *("Samples", "sample_images", "draw_samples", "samples_caption"),
        *("ImageRows", "image_rows", "draw_rows", "rows_caption"),
        *("ImageGrid", "Steps", "image_grid", "draw_grid", "grid_caption"),
        *("CodeMap", "code_map", "draw_codes", "codes_caption"),
        *("SearchHistory", "Points", "search_history", "draw_history"),
        *("ImportanceBars", "importance_bars", "draw_importances"),
        *("Slice", "Slices", "search_slices", "draw_slices"),
        *("Coordinate", "ParallelCoordinates", "parallel_coordinates", "draw_parallel"),
        *("ReportedValues", "reported_values", "draw_reported"),
        *("Front", "search_front", "draw_front"),
        *("Series", "SeriesPlot", "draw_series", "noise_plot", "labels_plot", "noise_caption"),
        *(
            "denoising_caption",
            "draw_confusion",
            "confusion_caption",
            "mistakes_caption",
            "labels_caption",
            "shown_images",
        ),
        *("plane_caption", "walks_caption"),
        *("code_size_plot", "code_size_caption"),
        *("Caption", "ValueAxis", "png", "save"),
    }
    assert all(hasattr(latentspace.figures, name) for name in latentspace.figures.__all__)


def test_pyplot_is_not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # an import of it fails
    monkeypatch.delattr(mpl, "pyplot", raising=False)
    curves()


def test_matplotlib_is_left_as_it_was() -> None:
    before = dict(mpl.rcParams)
    png(curves())
    assert dict(mpl.rcParams) == before


def test_a_users_own_settings_change_nothing() -> None:
    plain = png(curves())
    with mpl.rc_context({"axes.facecolor": "black", "font.size": 30, "savefig.facecolor": "red"}):
        assert png(curves()) == plain


def test_equal_figures_give_equal_bytes_of_the_stated_size() -> None:
    content = png(curves())
    assert content == png(curves())
    assert content.startswith(b"\x89PNG")
    assert b"matplotlib" not in content


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_a_figure_is_saved_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    one, two = tmp_path / f"one{suffix}", tmp_path / f"two{suffix}"
    save(curves(), one)
    save(curves(), two)
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert one.read_bytes().startswith(starts[suffix.lower()])
    assert one.read_bytes() == two.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [one.name, two.name]
    if suffix == ".png":
        with Image.open(one) as image:
            assert image.size == (round(WIDTH * DPI), round(3.15 * DPI))


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"name it figure\.png"):
        save(curves(), tmp_path / "figure.bmp")


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(OutputError, match="must be writable"):
        save(curves(), tmp_path / "taken" / "figure.png")


def test_text_is_made_legible() -> None:
    assert legible("  two\nlines ") == "two lines"
    assert legible("abcdefghij", limit=5) == "abcd…"
    assert legible("Ä ü Я Ω") == "Ä ü Я Ω"
    assert legible("a\U0010fffdb") == "a□b"


def test_text_is_as_wide_as_it_is_long() -> None:
    assert text_width("", 9.0) == 0
    assert text_width("mm", 9.0) == pytest.approx(2 * text_width("m", 9.0), rel=0.02)
    assert text_width("m", 18.0) == pytest.approx(2 * text_width("m", 9.0), rel=0.02)
    assert 0.1 < text_width("m", 9.0) < 0.14


def test_lines_break_between_words() -> None:
    lines = wrapped("some words that do not fit on one line of an inch", 1.0, 9.0).split("\n")
    assert " ".join(lines) == "some words that do not fit on one line of an inch"
    assert len(lines) > 2
    assert all(text_width(line, 9.0) <= 1.0 for line in lines)


def test_a_wrapped_line_is_drawn_within_its_width():
    """Letters that are set on whole pixels take more room than they measure."""
    text, width = "Codes drawn from independent Gaussians with the mean and standard", 1202.5 / 270
    figure = Figure(figsize=(9, 1), dpi=270)
    drawn = figure.text(0, 0, wrapped(text, width, BODY), size=BODY)
    FigureCanvasAgg(figure).draw()
    assert drawn.get_window_extent().width <= width * 270
    assert wrapped("incomprehensibilities", 0.5, 9.0) == "incomprehensibilities"


def test_class_names_are_never_read_as_formulas() -> None:
    pixels = np.zeros((3, 1, 16, 16), dtype=np.uint8)
    names = ("$x^$", "_hidden", "a\\frac$")
    images = ImageSet(pixels, "hostile names", np.arange(3), names)
    figure = draw_samples(sample_images(images, seed=0, rows=1, columns=3))
    assert png(figure).startswith(b"\x89PNG")
    assert [text.get_text() for text in figure.texts if text.get_text()] == list(names)
