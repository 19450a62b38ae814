"""Counts in words."""

import pytest

from latentspace.wording import counted


@pytest.mark.parametrize(
    ("count", "thing", "text"),
    [
        (0, "image", "0 images"),
        (1, "image", "1 image"),
        (1234, "image", "1,234 images"),
        (1, "class", "1 class"),
        (2, "class", "2 classes"),
        (2, "font family", "2 font families"),
        (3, "exact copy", "3 exact copies"),
        (3, "day", "3 days"),
        (5, "epoch", "5 epochs"),
        (5, "batch", "5 batches"),
    ],
)
def test_counts_agree_with_their_nouns(count, thing, text):
    assert counted(count, thing) == text
