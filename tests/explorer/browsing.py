"""What the tests of the page in Chromium have in common."""

import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
SLOW = 200_000  # milliseconds: a machine may be busy
IN_BROWSER = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here (/usr/bin/chromium)"),
    pytest.mark.filterwarnings("default"),  # of the browser's driver
]


def until(page: Any, condition: str) -> None:
    """Wait until a JavaScript expression is true; Playwright's own way uses eval, which the page forbids."""
    end = time.monotonic() + SLOW / 1000
    while not page.evaluate(condition):
        if time.monotonic() > end:
            pytest.fail(f"it never came true: {condition}")
        time.sleep(0.05)
