"""The picture of a data set: a row for each class, squares for pixels."""

import numpy as np

from latentspace.data.imageset import ImageSet
from latentspace.figures.overview import draw_overview, overview
from makers import random_pixels


def made(labels: list[int], classes: int, channels: int = 1, side: int = 8) -> ImageSet:
    """Every pixel of an image is the number of its class."""
    pixels = np.broadcast_to(
        np.array(labels, np.uint8)[:, None, None, None], (len(labels), channels, side, side)
    )
    return ImageSet(pixels.copy(), "made", np.array(labels), tuple(f"c{one}" for one in range(classes)))


def test_a_row_holds_one_class_and_a_place_without_an_image_is_empty() -> None:
    seen = overview(made([0] * 12 + [2] * 3, 3), seed=0)
    assert (seen.names, seen.columns) == (("c0", "c2"), 10)
    assert seen.images[:10].max() == 0
    assert (seen.images[10:13] == 2).all()
    assert seen.empty == set(range(13, 20))
    figure = draw_overview(seen)
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    assert (sheet[-20:, -20:] == 255).all()


def test_of_many_classes_some_are_drawn_and_it_is_said() -> None:
    seen = overview(made(list(range(62)) * 2, 62), seed=0)
    assert len(seen.names) == 20
    assert (seen.names[0], seen.names[-1]) == ("c0", "c61")
    assert [text.get_text() for text in draw_overview(seen).texts][-2] == "20 of 62 classes"


def test_pixels_are_squares_where_images_are_enlarged() -> None:
    pixels = random_pixels(60, 3, 48, 48)
    figure = draw_overview(overview(ImageSet(pixels, "made"), seed=0))
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    assert set(np.unique(sheet)) <= set(range(256))
    colours = {tuple(one) for one in pixels.transpose(0, 2, 3, 1).reshape(-1, 3).tolist()}
    drawn = {tuple(one) for one in sheet.reshape(-1, 3).tolist()}
    assert drawn <= colours | {(255, 255, 255), (201, 201, 201)}
