"""More points than a slow machine draws in a frame: fewer while the map moves, all when it rests."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latentspace.data.imageset import ImageSet
from latentspace.explorer.actions import Actions
from latentspace.explorer.contents import Contents
from latentspace.explorer.labels import Labels
from latentspace.explorer.serving import served
from latentspace.explorer.subject import Subject

from .browsing import IN_BROWSER, SLOW, until

pytestmark = IN_BROWSER

DRAWN = """window.drawn = () => {
  const points = document.querySelectorAll('#layers canvas')[1];
  const copy = document.createElement('canvas');
  [copy.width, copy.height] = [points.width, points.height];
  const context = copy.getContext('2d');
  context.drawImage(points, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  return data.filter((value, at) => at % 4 === 3 && value).length;
}"""
SLOW_FRAMES = """() => new Promise((done) => {
  const layers = document.getElementById('layers');
  const box = layers.getBoundingClientRect();
  const middle = { clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
  let frames = 0;
  const next = () => {
    if (frames === 10) return done(window.drawn());
    layers.dispatchEvent(new WheelEvent('wheel', { deltaY: frames++ % 2 ? 20 : -20, ...middle }));
    const end = performance.now() + 60;
    while (performance.now() < end);
    requestAnimationFrame(next);
  };
  next();
})"""


@pytest.mark.parametrize(("count", "least", "most"), [(5000, 0.9, 1.1), (60_000, 0.05, 0.8)])
def test_fewer_points_while_frames_come_slowly_and_all_at_rest(
    browser: Any, tmp_path: Path, count: int, least: float, most: float
) -> None:
    """Many points alone: 10,000 are always drawn."""
    codes = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
    images = ImageSet(np.zeros((count, 1, 8, 8), dtype=np.uint8), "points")
    contents = Contents(Subject("points", images, (), codes), methods=())
    with served(Actions(lambda: contents, Labels(tmp_path / "labels.csv"), tmp_path / "copies")) as address:
        page = browser.new_page(viewport={"width": 900, "height": 700}, reduced_motion="reduce")
        page.goto(address, timeout=SLOW)
        page.wait_for_selector("body[data-ready]", timeout=SLOW)
        page.evaluate(DRAWN)
        at_rest, before = page.evaluate("window.drawn()"), -1
        while at_rest != before:  # the first frames of a busy machine are slow too
            page.wait_for_timeout(300)
            at_rest, before = page.evaluate("window.drawn()"), at_rest
        moving = page.evaluate(SLOW_FRAMES)
        assert least * at_rest < moving < most * at_rest
        until(page, f"window.drawn() >= {0.98 * at_rest}")
        page.close()
