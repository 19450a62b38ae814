"""The arrays that scikit-learn hands over <-> what a network is given, and gives."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.validation import validate_data

from ..core.errors import ConfigurationError, DataError
from ..core.types import ImageArray, Pixels
from ..core.wording import brief
from ..data.given import given_pixels
from ..data.readers.axes import CHANNELS_FIRST, CHANNELS_LAST, GREY, possible_axes


@runtime_checkable
class Layout(Protocol):
    """How rows of numbers become inputs of shape (channels, height, width), and decoded ones rows again."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """Samples x features -> bytes or floats in about [0, 1], samples x channels x height x width."""
        ...

    def outputs(self, decoded: ImageArray) -> np.ndarray:
        """Samples x channels x height x width in [0, 1] -> samples as they were given to `fit`."""
        ...

    def content(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """What `restored_layout` makes the same of: JSON and arrays."""
        ...


@dataclass(frozen=True)
class ImageLayout:
    """Rows that are images.

    Args:
        given: the shape of one image as it is given: H x W, C x H x W or H x W x C.
        shape: channels, height and width.
        flat: whether images are given, and given back, as rows.
        dtype: of the numbers that are given back: whole ones in 0..255, or floats in [0, 1].
    """

    given: tuple[int, ...]
    shape: tuple[int, int, int]
    flat: bool
    dtype: str

    def inputs(self, rows: np.ndarray) -> Pixels:
        images = rows.reshape(len(rows), *self.given)
        if images.ndim == 3:
            images = images[:, None]
        elif self.given != self.shape:
            images = images.transpose(0, 3, 1, 2)
        pixels = given_pixels(images, self.shape)
        assert pixels is not None, "rows have been checked"
        return pixels

    def outputs(self, decoded: ImageArray) -> np.ndarray:
        wanted = np.dtype(self.dtype)
        values = np.rint(255 * decoded) if wanted.kind in "iu" else decoded
        images = values.astype(wanted)
        if self.given != self.shape:
            images = images[:, 0] if len(self.given) == 2 else images.transpose(0, 2, 3, 1)
        return np.ascontiguousarray(images.reshape(len(images), -1) if self.flat else images)

    def content(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return asdict(self), {}


@dataclass(frozen=True)
class FeatureLayout:
    """Rows that are no images: each feature is brought to [0, 1] by its least and greatest value in `fit`."""

    scaler: Any  # a fitted MinMaxScaler

    @property
    def shape(self) -> tuple[int, int, int]:
        return 1, 1, int(self.scaler.n_features_in_)

    def inputs(self, rows: np.ndarray) -> ImageArray:
        scaled: np.ndarray = self.scaler.transform(rows)
        return scaled.reshape(len(rows), *self.shape)

    def outputs(self, decoded: ImageArray) -> np.ndarray:
        values: np.ndarray = self.scaler.inverse_transform(decoded.reshape(len(decoded), -1))
        return values

    def content(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {"least": self.scaler.data_min_, "greatest": self.scaler.data_max_}


def restored_layout(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Layout:
    """The layout whose `content` these are.

    Raises:
        KeyError, TypeError, ValueError: they are those of none.
    """
    if not about:
        return FeatureLayout(MinMaxScaler().fit(np.stack([arrays["least"], arrays["greatest"]])))
    channels, height, width = about["shape"]
    return ImageLayout(
        tuple(about["given"]), (channels, height, width), flat=about["flat"], dtype=about["dtype"]
    )


def checked_rows(
    estimator: Any, X: Any, *, reset: bool, image_shape: Any = None, y: Any = "no_validation"
) -> tuple[Any, tuple[int, ...] | None]:
    """X as rows, checked by scikit-learn, and the shape of one image where X is an array of images.

    Where `y` is given, rows are (rows, y), both checked.

    Args:
        reset: whether this is `fit`, which says what later calls must be like.
        image_shape: the estimator's; None: X has the axes of images, or rows that are no images.

    Raises:
        ValueError: what scikit-learn refuses: no rows, NaN, another number of features.
    """
    known = getattr(X, "ndim", None)
    ndim = np.asarray(X).ndim if known is None else known
    given = None
    if ndim > 2:
        X = np.asarray(X)
        given = X.shape[1:]
        X = X.reshape(len(X), math.prod(given))
    images = given is not None or image_shape is not None
    dtype = "numeric" if images else [np.float64, np.float32]
    return validate_data(estimator, X, y, reset=reset, dtype=dtype), given


def layout_of(rows: np.ndarray, given: tuple[int, ...] | None, image_shape: Any) -> Layout:
    """The layout of what was given to `fit`; arguments as `checked_rows` returns them.

    Raises:
        ConfigurationError: an image shape that is none, or not that of the rows.
        DataError: an array with the axes of no images.
    """
    asked = None if image_shape is None else _sides(image_shape)
    if given is None and asked is None:
        return FeatureLayout(MinMaxScaler().fit(rows))
    if given is not None and asked is not None and given != asked:
        raise ConfigurationError(
            f"images must have the image_shape {asked}", found=f"{given}", do="leave image_shape out"
        )
    one = given or asked or ()
    if math.prod(one) != rows.shape[1]:
        raise ConfigurationError(
            f"rows of images must have the {math.prod(one):,} numbers of image_shape {one}",
            found=f"{rows.shape[1]:,} features",
            do="name the shape of an image: (height, width), (channels, height, width) or "
            "(height, width, channels)",
        )
    shape = _channels_first(one, len(rows))
    dtype = rows.dtype if rows.dtype.kind in "iuf" else np.dtype(np.float32)
    return ImageLayout(one, shape, flat=given is None, dtype=dtype.name)


def _sides(image_shape: Any) -> tuple[int, ...]:
    if (
        not isinstance(image_shape, Sequence)
        or len(image_shape) not in (2, 3)
        or not all(isinstance(side, int | np.integer) and side > 0 for side in image_shape)
    ):
        raise ConfigurationError(
            "image_shape must be (height, width), (channels, height, width) or (height, width, channels)",
            found=brief(image_shape),
            do="write for example image_shape=(28, 28)",
        )
    return tuple(int(side) for side in image_shape)


def _channels_first(one: tuple[int, ...], count: int) -> tuple[int, int, int]:
    found = [axes for axes in possible_axes((count, *one), count=count) if axes.images == 0]
    if found == [GREY]:
        return 1, one[0], one[1]
    if found == [CHANNELS_FIRST]:
        return one[0], one[1], one[2]
    if found == [CHANNELS_LAST] and len(one) == 3:
        return one[2], one[0], one[1]
    raise DataError(
        "an array of images must be N x H x W, N x C x H x W or N x H x W x C, of few channels",
        found=f"images of shape {one}",
        do="put its axes in order; data that are no images are given as rows: X.reshape(len(X), -1)",
    )
