"""Figures as fine as users see them."""

from collections.abc import Iterator

import pytest

from makers import fine


@pytest.fixture(scope="package", autouse=True)
def _fine() -> Iterator[None]:
    with fine():
        yield
