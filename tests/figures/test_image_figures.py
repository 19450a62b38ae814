"""Figures 1, 3, 4 and their kin: which images are chosen, and that each is drawn as it is, under its name."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from latentspace.core.errors import ConfigurationError, DataError
from latentspace.data.imageset import ImageSet
from latentspace.figures import (
    Steps,
    draw_grid,
    draw_rows,
    draw_samples,
    grid_caption,
    image_grid,
    image_rows,
    rows_caption,
    sample_images,
    samples_caption,
)
from latentspace.figures.mosaic import shown
from latentspace.figures.style import DPI, WIDTH


def made(
    count: int, classes: int, *, channels: int = 1, size: tuple[int, int] = (28, 28), labelled: bool = True
) -> ImageSet:
    """Image k has the value k everywhere and the class k % classes."""
    values = np.arange(count, dtype=np.uint8)[:, None, None, None]
    labels = np.arange(count, dtype=np.int64) % classes
    return ImageSet(
        np.broadcast_to(values, (count, channels, *size)).copy(),
        "made for a test",
        labels if labelled else None,
        tuple(f"class {number}" for number in range(classes)),
    )


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts if text.get_text()]


def block(figure: Figure) -> np.ndarray:
    """The pixels of the images on the sheet."""
    (axes,) = figure.axes
    (image,) = axes.images
    return np.asarray(image.get_array())


def test_samples_carry_the_names_of_their_classes() -> None:
    images = made(100, 4)
    samples = sample_images(images, seed=0, rows=2, columns=4)
    values = samples.images[:, 0, 0, 0]
    assert samples.titles == tuple(f"class {value % 4}" for value in values)
    assert texts(draw_samples(samples)) == list(samples.titles)
    caption = samples_caption(samples, source=images.source, total=len(images), seed=0)
    assert caption.text == (
        "8 of 100 images of made for a test, chosen at random (seed 0), the classes in turn."
    )


def test_samples_without_labels_have_no_titles() -> None:
    samples = sample_images(made(30, 3, labelled=False), seed=0, rows=2, columns=5)
    assert samples.titles == ()
    assert texts(draw_samples(samples)) == []
    caption = samples_caption(samples, source="images without labels", total=30, seed=0)
    assert caption.text.count("without labels") == 1


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (3, 0), (-1, -1)])
def test_a_figure_has_a_row_and_a_column(rows: int, columns: int) -> None:
    with pytest.raises(ConfigurationError, match="at least one"):
        sample_images(made(9, 3), seed=0, rows=rows, columns=columns)
    with pytest.raises(ConfigurationError, match="at least one column"):
        image_rows({"original": made(9, 3).pixels}, columns=min(columns, 0))
    with pytest.raises(ConfigurationError, match="at least one column"):
        image_grid(made(9, 3).pixels, columns=min(columns, 0), drawn_from="")


def test_bytes_and_floats_are_shown_alike() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    assert shown(pixels)[0, :, :, 0].tolist() == pixels[0, 0].tolist()
    np.testing.assert_array_equal(shown(pixels), shown((pixels / 255).astype(np.float32)))


def test_a_noisy_image_is_cut_at_black_and_white() -> None:
    noisy = np.array([-0.4, 0.0, 0.5, 1.0, 1.7], dtype=np.float32).reshape(1, 1, 1, 5)
    assert shown(noisy)[0, 0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_two_and_three_channels_are_colour() -> None:
    colours = np.zeros((1, 3, 4, 5), dtype=np.uint8)
    colours[0, 2] = 200
    assert shown(colours)[0, 1, 1].tolist() == [0, 0, 200]
    two = np.zeros((1, 2, 4, 5), dtype=np.uint8)
    two[0, 1] = 90
    assert shown(two).shape == (1, 4, 5, 3)
    assert shown(two)[0, 0, 0].tolist() == [0, 90, 0]


def test_images_that_cannot_be_shown_are_refused() -> None:
    with pytest.raises(DataError, match="at least one image"):
        shown(np.zeros((0, 1, 4, 4), dtype=np.uint8))
    with pytest.raises(DataError, match="1 value infinite"):
        shown(np.array([0.0, np.nan]).reshape(1, 1, 1, 2))


@pytest.mark.parametrize("size", [(16, 16), (28, 28), (128, 128), (20, 60), (300, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_image_is_on_the_sheet_at_its_place(size: tuple[int, int], channels: int) -> None:
    images = made(7, 1, channels=channels, size=size).pixels * 30
    figure = draw_grid(image_grid(images, columns=4, drawn_from=""))
    sheet = block(figure)
    # a pixel in the middle of each of the 2 x 4 places; the eighth stays paper
    heights = sheet.shape[0] * (np.arange(2) + 0.5) / 2
    widths = sheet.shape[1] * (np.arange(4) + 0.5) / 4
    drawn = sheet[heights.astype(int)][:, widths.astype(int)]
    expected = [0, 30, 60, 90, 120, 150, 180, 255]
    assert drawn.reshape(8, 3).tolist() == [[value] * 3 for value in expected]
    assert figure.get_size_inches()[0] <= WIDTH + 0.01
    width, height = figure.get_size_inches() * DPI
    assert width == pytest.approx(round(width))
    assert sheet.shape[0] <= height
    assert sheet.shape[1] <= width


def test_small_images_are_enlarged_by_a_whole_number() -> None:
    checks = (np.indices((8, 8)).sum(axis=0) % 2 * 255).astype(np.uint8)[None, None]
    sheet = block(draw_grid(image_grid(checks, columns=1, drawn_from="")))[1:-1, 1:-1, 0]
    scale = sheet.shape[0] // 8
    np.testing.assert_array_equal(sheet, np.kron(checks[0, 0], np.ones((scale, scale), dtype=np.uint8)))


def test_rows_stand_under_each_other_with_names_and_errors() -> None:
    original = made(12, 1).pixels
    rows = image_rows(
        {"original": original, "reconstruction": 255 - original},
        columns=3,
        titles=[f"t{number}" for number in range(12)],
        errors=[0.0301, 0.5, 183.59, *[0.0] * 9],
        error_name="mean squared error per pixel",
    )
    assert rows.names == ("original", "reconstruction")
    assert rows.images[:, 0, 0, 0].tolist() == [0, 1, 2, 255, 254, 253]
    assert rows.errors == (0.0301, 0.5, 183.59)
    assert texts(draw_rows(rows)) == [
        *("t0", "t1", "t2"),
        *("original", "reconstruction"),
        *("0.03", "0.5", "184"),
        "mean squared error per pixel",
    ]
    small = image_rows({"a": original}, errors=[0.037, 0.0092, 0.00094, 0, *[1.5e-6] * 8], error_name="mse")
    assert texts(draw_rows(small))[1:6] == ["37", "9.2", "0.94", "0.00", "0.00"]
    assert texts(draw_rows(small))[-1] == "mse, in thousandths"
    under_a_tenth = image_rows({"a": original}, errors=[0.063, 0.071, *[0.05] * 10], error_name="mse")
    assert texts(draw_rows(under_a_tenth))[1:3] == ["63", "71"]
    caption = rows_caption(rows, model="the autoencoder", split="the test part")
    assert caption.text.startswith("3 images of the test part, chosen at random")
    assert caption.text.endswith("Under each column: mean squared error per pixel.")


def test_row_names_are_inside_the_sheet() -> None:
    figure = draw_rows(image_rows({"a rather long name": made(3, 1).pixels, "b": made(3, 1).pixels}))
    figure.draw_without_rendering()
    for text in figure.texts:
        if text.get_text():
            box = text.get_window_extent()
            assert box.x0 >= 0
            assert box.x1 <= figure.bbox.x1


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(DataError, match=r"a: \(3, 28, 28, 3\), b: \(4, 28, 28, 3\)"):
        image_rows({"a": made(3, 1).pixels, "b": made(4, 1).pixels})
    with pytest.raises(DataError, match="no row"):
        image_rows({})
    with pytest.raises(DataError, match="one title for each image"):
        image_rows({"a": made(3, 1).pixels}, titles=["one"])
    with pytest.raises(DataError, match="one error for each image"):
        image_rows({"a": made(3, 1).pixels}, errors=[0.1])


def test_a_grid_says_where_its_codes_come_from() -> None:
    grid = image_grid(made(6, 1).pixels, columns=3, drawn_from="Codes drawn from the prior, N(0, 1).")
    assert texts(draw_grid(grid))[0].replace("\n", " ") == grid.drawn_from
    caption = grid_caption(grid, model="the autoencoder")
    assert caption.text == ("6 decoded codes; none was left out. Codes drawn from the prior, N(0, 1).")


def test_a_walk_over_two_dimensions_has_its_values_at_its_sides() -> None:
    across, down = Steps("dimension 1", (-1.28, 0.0, 1.28)), Steps("dimension 7", (-2.0, 2.0))
    grid = image_grid(made(6, 1).pixels, columns=3, drawn_from="a plane", across=across, down=down)
    assert texts(draw_grid(grid)) == [
        "a plane",
        *("−2", "2"),
        *("−1.3", "0", "1.3"),
        *("dimension 1", "dimension 7"),
    ]


def test_a_walk_whose_values_do_not_match_is_refused() -> None:
    pixels = made(6, 1).pixels
    with pytest.raises(DataError, match="one value for each column"):
        image_grid(pixels, columns=3, drawn_from="", across=Steps("x", (0.0,)))
    with pytest.raises(DataError, match="one value for each row"):
        image_grid(pixels, columns=3, drawn_from="", down=Steps("y", (0.0, 1.0, 2.0)))
