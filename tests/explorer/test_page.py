"""The page in a browser, checked by its pixels; and as one file, opened from disk."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from latentspace.data.imageset import ImageSet
from latentspace.experiment.config import Experiment
from latentspace.explorer.actions import Actions
from latentspace.explorer.contents import Contents
from latentspace.explorer.labels import Labels
from latentspace.explorer.page import page as one_file
from latentspace.explorer.serving import served
from latentspace.explorer.subject import Subject, described, of_run
from latentspace.inference.mixtures import fitted_mixture
from latentspace.models.autoencoder import unrefined
from latentspace.training.train import train

from .browsing import IN_BROWSER, SLOW, until

AXE = Path(__file__).parents[2] / "explorer" / "web" / "node_modules" / "axe-core" / "axe.min.js"

pytestmark = IN_BROWSER


@pytest.fixture(scope="module")
def contents(plan: Experiment, images: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """Of a run that has learned: its codes, which are refined, differ from image to image, and decode so."""
    settings = {
        **plan.model_dump(exclude={"model", "training"}),
        "model": {"name": "residual", "width": 4, "code_size": 3, "refine": 2},
        "training": {"epochs": 12, "batch_size": 12, "learning_rate": 0.005},
    }
    run = train(Experiment.parse(settings, "a test's plan"), tmp_path_factory.mktemp("learned") / "run")
    return Contents(of_run(run, images, own=True), pictures="WEBP", methods=())


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Labels:
    return Labels(tmp_path_factory.mktemp("labels") / "run.labels.csv")


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("taken") / "copies"


@pytest.fixture(scope="module")
def address(contents: Contents, labels: Labels, copies: Path) -> Iterator[str]:
    with served(Actions(lambda: contents, labels, copies)) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser: Any, address: str) -> Any:
    """The page, loaded once for all tests; each begins where the one before ended."""
    page = browser.new_page(viewport={"width": 1100, "height": 700}, reduced_motion="reduce")
    page.set_default_timeout(SLOW)
    page.failures = []
    page.on("pageerror", lambda error: page.failures.append(str(error)))
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    return page


def pixels(page: Any, selector: str) -> np.ndarray:
    """What the map or a canvas shows. A canvas is read in one step: each answer draws the page anew, so that
    a picture of an element may be asked for when the element is gone."""
    if selector == "#layers":
        picture = page.locator(selector).screenshot()
    else:
        read = "selector => { const one = document.querySelector(selector); return one && one.toDataURL() }"
        picture = b64decode(page.wait_for_function(read, arg=selector).json_value().partition(",")[2])
    return np.asarray(Image.open(BytesIO(picture)).convert("RGB")).astype(int)


def until_changed(page: Any, selector: str, before: np.ndarray | None = None) -> np.ndarray:
    """What is drawn there once it is something else than before; without `before` once anything is."""
    for _ in range(300):
        now = pixels(page, selector)
        is_other = before is None or now.shape != before.shape or np.abs(now - before).max() > 8
        if is_other and np.ptp(now) > 8:
            return now
        page.wait_for_timeout(100)
    raise AssertionError(f"{selector} shows what it showed before")


def shown(selector: str, count: int) -> str:
    """A condition: so many elements are there."""
    return f"document.querySelectorAll({selector!r}).length === {count}"


def test_a_decode_changes_as_the_pointer_moves(page: Any):
    box = page.locator("#layers").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
    before = pixels(page, "#decoded")
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + box["height"] / 2)
    until_changed(page, "#decoded", before)
    page.wait_for_selector("#loupe")


def test_a_lasso_holds_the_images_that_lie_in_it(page: Any, contents: Contents):
    """The left half of the map is encircled: the images there are those of the selection."""
    box = page.locator("#layers").bounding_box()
    places = contents.maps[0].places
    low, high = places.min(axis=0), places.max(axis=0)
    middle, unit = (low + high) / 2, (high - low).max() / 2
    scale = min(box["width"], box["height"]) / 2.2
    cut = np.median(places[:, 0])
    right = float(box["x"] + box["width"] / 2 + (cut - middle[0]) / unit * scale)
    corners = [(box["x"] + 60, box["y"] + 2), (right, box["y"] + 2)]
    corners += [(x, box["y"] + box["height"] - 3) for x, _ in reversed(corners)]
    page.keyboard.down("Shift")
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=3)
    page.mouse.up()
    page.keyboard.up("Shift")
    found = int(re.match(r"[\d,]+", page.locator("#selected").inner_text())[0].replace(",", ""))
    inside = (places[:, 0] < cut) & ((places[:, 0] - middle[0]) / unit * scale > 60 - box["width"] / 2)
    assert abs(found - inside.sum()) <= 2, "but for images on the line itself"
    apart = page.locator("#view-selection table").last.inner_text()
    assert apart.split("\n")[0].split("\t") == ["mean", "selected", "the others"]
    bright = next(one.values for one in contents.subject.columns if one.name == "brightness")
    means = [float(one) for one in re.search(r"brightness\s+(\S+)\s+(\S+)", apart).groups()]
    assert means == pytest.approx([bright[inside].mean(), bright[~inside].mean()], rel=0.05)
    page.locator("#view-selection .thumbs button").first.click()
    page.wait_for_selector("#view-image .trio canvas")
    page.click("#tab-selection")


def test_each_drag_with_the_path_tool_is_a_film_of_its_own(page: Any):
    box = page.locator("#layers").bounding_box()
    page.click("#tools [role=radio]:last-child")
    for y in (100, 400):
        page.mouse.move(box["x"] + 150, box["y"] + y)
        page.mouse.down()
        page.mouse.move(box["x"] + 450, box["y"] + y, steps=3)
        page.mouse.up()
        page.wait_for_selector("#view-between .strip canvas")
        if y == 100:
            first = until_changed(page, "#view-between .strip canvas")
    until_changed(page, "#view-between .strip canvas", first)  # the second begins elsewhere
    page.click("#tools [role=radio]:first-child")
    page.click("#tab-selection")


def test_labels_of_a_selection_are_kept_and_undone(page: Any, labels: Labels):
    page.fill("#label", "left")
    page.click("form.row button[type=submit]")
    until(page, "document.getElementById('status').textContent.includes('labelled')")
    assert set(labels.read().values()) == {"left"}
    page.locator("#layers").press("u")
    until(page, "document.getElementById('status').textContent.includes('undone')")
    assert labels.read() == {}


def test_an_image_is_inspected_by_the_keyboard(page: Any):
    page.locator("#layers").press("Enter")
    page.wait_for_selector("#view-image .thumbs canvas")
    until(page, shown("#view-image .trio canvas", 3))
    until(page, "location.hash.includes('image=')")


def test_a_dropped_image_lands_where_its_own_code_is(page: Any, images: ImageSet, contents: Contents):
    file = BytesIO()
    Image.fromarray(images.pixels[3, 0]).save(file, "PNG")
    page.set_input_files(
        "input[type=file]", {"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    until(page, "document.getElementById('status').textContent.includes('mine.png lies')")
    known = contents.subject.images
    alike = (known.pixels == images.pixels[3]).all(axis=(1, 2, 3))
    names = [name for name, is_alike in zip(known.names, alike, strict=True) if is_alike]
    nearest = "(document.querySelector('#view-image .thumbs button') || {title: ''}).title"
    until(page, f"{names!r}.includes({nearest}.split(',')[0].replace('image ', ''))")
    titles = page.evaluate("[...document.querySelectorAll('#view-image .bars i')].map((one) => one.title)")
    code = [float(one.partition(": ")[2]) for one in titles]
    network, mine = contents.subject.autoencoder, images.pixels[3:4]
    refined = network.encode(mine)[0]
    np.testing.assert_allclose(code, refined, atol=2e-3)
    with unrefined(network.model):
        begun = network.encode(mine)[0]
    assert np.abs(begun - refined).max() > 0.01, "the encoder alone finds another"


def test_what_is_no_image_is_said(page: Any):
    page.set_input_files(
        "input[type=file]", {"name": "odd.png", "mimeType": "image/png", "buffer": b"no image"}
    )
    until(page, "document.getElementById('status').textContent.includes('odd.png is no image')")


def test_sliders_draw_and_show_what_is_near(page: Any):
    page.click("#tab-sliders")
    before = pixels(page, "#view-sliders canvas.large")
    page.locator("#view-sliders .slider input").first.press("Home")
    until_changed(page, "#view-sliders canvas.large", before)
    page.wait_for_selector("#view-sliders .thumbs canvas")


def test_random_draws_are_of_the_mixture_that_generate_draws_from(page: Any, contents: Contents):
    """Without temperature a draw is the mean of one of its Gaussians."""
    means = fitted_mixture(contents.subject.codes).means
    page.click("#tab-sliders")
    read = "() => [...document.querySelectorAll('#view-sliders .slider')].map((one) => one.innerText)"

    def drawn(heat: str) -> np.ndarray:
        page.evaluate(f"document.getElementById('temperature').value = '{heat}'")
        before = page.evaluate(f"JSON.stringify(({read})())")
        page.get_by_role("button", name="Random draw").click()
        until(page, f"document.body.textContent.includes('a random draw, temperature {heat}')")
        until(page, f"JSON.stringify(({read})()) !== {json.dumps(before)}")
        found = dict(row.split() for row in page.evaluate(read))
        return np.array([float(found[f"c{at}"].replace("\u2212", "-")) for at in range(len(found))])

    cold, first, second = (drawn(heat) for heat in ("0", "1", "1.5"))
    assert np.abs(means - cold).max(axis=1).min() < 0.006
    assert not np.array_equal(first, second)
    assert np.abs(means - first).max(axis=1).min() > 0.006


def test_a_grid_of_decodes_lies_under_the_map(page: Any):
    before = pixels(page, "#layers")
    page.check("#grid-choice")
    until_changed(page, "#layers", before)
    page.uncheck("#grid-choice")


def test_the_legend_hides_a_class(page: Any):
    before = pixels(page, "#layers")
    page.locator("#legend button").first.click()
    until_changed(page, "#layers", before)
    until(page, "location.hash.includes('hide=')")
    page.locator("#legend button").first.click()
    until(page, "!location.hash.includes('hide=')")


def test_a_link_is_a_view(page: Any, browser: Any):
    page.locator("#legend button").first.click()
    page.select_option("#map-choice", "dimensions")
    until(page, "location.hash.includes('map=dimensions') && location.hash.includes('hide=')")
    other = browser.new_page()
    other.goto(page.url, timeout=SLOW)
    other.wait_for_selector("body[data-ready]", timeout=SLOW)
    until(other, "document.getElementById('map-choice').value === 'dimensions'")
    until(other, "document.querySelector('#legend button').getAttribute('aria-pressed') === 'false'")
    assert len(page.url) < 700
    other.click("#tab-selection")  # of the map and the colours that were shown when it was made
    selected = page.locator("#selected").text_content()
    until(other, f"(document.getElementById('selected') || {{}}).textContent === {selected!r}")
    other.close()
    page.locator("#legend button").first.click()


def test_groups_are_computed_as_a_colour(page: Any):
    before = page.locator("#colour-choice").input_value()
    page.select_option("#colour-choice", "cluster")
    until(page, "document.getElementById('legend').innerText.startsWith('1')")
    page.select_option("#colour-choice", before)


def test_back_and_forward_restore_the_view(page: Any):
    page.click("#tab-selection")
    page.select_option("#map-choice", "pca")
    until(page, "location.hash.includes('map=pca')")
    page.select_option("#map-choice", "dimensions")
    until(page, "location.hash.includes('map=dimensions')")
    page.go_back()
    until(page, "document.getElementById('map-choice').value === 'pca'")
    page.go_forward()
    until(page, "document.getElementById('map-choice').value === 'dimensions'")
    until(page, "document.getElementById('tab-selection').getAttribute('aria-selected') === 'true'")


def test_back_and_forward_restore_what_is_selected(page: Any):
    page.click("#tab-selection")
    before = page.locator("#selected").inner_text()
    page.get_by_role("button", name="Clear").click()
    until(page, "!location.hash.includes('select=')")
    page.locator("#layers").press("s")
    until(
        page,
        f"(document.getElementById('selected') || {{textContent: {before!r}}}).textContent !== {before!r}",
    )
    page.go_back()
    until(page, "!document.getElementById('selected')")
    page.go_back()
    until(page, f"(document.getElementById('selected') || {{}}).textContent === {before!r}")
    page.go_forward()
    until(page, "!document.getElementById('selected')")
    page.go_back()


@pytest.mark.parametrize("broken", ["z", "3.1.1", "3.1.1.2.2.3", "3.!.1.1.1.1.1", f"3{'.1.2' * 999}"])
def test_a_broken_selection_in_the_address_is_none(page: Any, broken: str):
    address = page.url
    page.evaluate(f"location.hash = location.hash.replace(/select=[^&]*/, 'select={broken}')")
    until(page, "!document.getElementById('selected')")
    page.evaluate(f"location.hash = {address.partition('#')[2]!r}")
    until(page, "!!document.getElementById('selected')")


def test_the_tools_and_the_legend_are_chosen_by_keys_and_keep_the_focus(page: Any):
    page.locator("#tools [role=radio]").first.press("ArrowDown")
    lasso = page.locator("#tools [role=radio]").nth(1)
    assert lasso.get_attribute("aria-checked") == "true"
    assert lasso.evaluate("one => one === document.activeElement")
    lasso.press("ArrowUp")
    for pressed in ("false", "true"):
        page.locator("#legend button").first.press("Enter")
        until(page, f"document.activeElement.getAttribute('aria-pressed') === '{pressed}'")


def test_the_class_of_an_image_has_a_probability(page: Any, contents: Contents):
    page.locator("#layers").press("Enter")
    page.wait_for_selector("#view-image .classes")
    name, classes = page.evaluate(
        "['#view-image dd', '#view-image .classes'].map((one) => document.querySelector(one).innerText)"
    )
    row = contents.subject.images.names.index(name)
    chances = contents.subject.linear.probabilities(contents.subject.codes[row : row + 1])[0]
    best, percent = classes.split("\n")[1:3]
    assert best == contents.subject.linear.names[chances.argmax()]
    assert abs(int(percent.rstrip("%")) - 100 * chances.max()) <= 1


def test_labels_are_given_to_suggested_images_and_learned_from(page: Any, labels: Labels):
    page.click("#tab-classes")
    page.click("#suggest")
    page.wait_for_selector("#queue canvas")
    assert page.locator("#train").is_disabled()
    for key, count in (("1", 1), ("2", 2), ("1", 3), ("u", 2), ("2", 3)):
        page.keyboard.press(key)
        until(page, f"document.getElementById('train').textContent.includes(' {count} label')")
    page.click("#train")
    until(page, "document.getElementById('colour-choice').value === 'predicted by your labels'")
    assert sorted(labels.read().values()) == ["A", "B", "B"]
    until(page, "document.getElementById('learned').innerText.includes('3 labelled images')")
    until(page, shown("#legend button", 2))


def test_a_drawing_is_placed_and_decoded_as_it_is_drawn(page: Any):
    page.click("#zooms button[title='Draw an image']")
    pad = page.locator("#pad").bounding_box()
    page.mouse.move(pad["x"] + 40, pad["y"] + 40)
    page.mouse.down()
    page.mouse.move(pad["x"] + 40, pad["y"] + 200, steps=4)
    page.mouse.up()
    until(page, "(document.querySelector('#view-image dd') || {}).textContent === 'your drawing'")
    page.wait_for_selector("#view-image .classes")
    original = until_changed(page, "#view-image .trio canvas")
    assert original.max() > 200
    assert original.min() < 60
    until(page, shown("#view-image .thumbs canvas", 12))
    page.click("#zooms button[title='Draw an image']")
    page.wait_for_selector("#pad", state="hidden")


def test_a_selection_is_taken_away(page: Any, copies: Path, contents: Contents):
    page.locator("#layers").press("0")
    page.locator("#layers").press("s")
    with page.expect_download() as waited:
        page.get_by_role("button", name="Export Parquet").click()
    table = pq.read_table(waited.value.path())
    assert table.num_rows == len(contents.subject.images)
    assert {"name", "code", "your label", "predicted by your labels"} <= set(table.column_names)
    page.click("#copy")
    until(page, "document.getElementById('copied').textContent.includes('selection-1')")
    assert len(list((copies / "selection-1").iterdir())) == table.num_rows


def shown_view(page: Any) -> dict[str, str]:
    """What the address says once the map rests."""
    page.wait_for_timeout(300)
    return dict(re.findall(r"(\w+)=([^&]*)", page.evaluate("location.hash")))


def test_two_fingers_zoom_and_move_the_map_and_give_up_a_lasso(page: Any):
    box = page.locator("#layers").bounding_box()
    x, y = box["x"] + 300, box["y"] + 300
    device = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(places)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    page.locator("#layers").press("0")
    page.click("#tools [role=radio]:nth-child(2)")
    before = shown_view(page)
    touch("touchStart", (x, y))
    touch("touchMove", (x, y + 50))
    touch("touchMove", (x + 20, y + 50))
    touch("touchStart", (x, y), (x + 40, y))
    touch("touchMove", (x, y), (x + 40, y))
    touch("touchMove", (x + 60, y + 80), (x + 100, y + 80))
    touch("touchEnd")
    moved = shown_view(page)
    assert moved.get("select") == before.get("select"), "the lasso that the first finger began"
    assert moved["zoom"] == before["zoom"]
    assert float(moved["x"]) < float(before["x"])
    assert float(moved["y"]) > float(before["y"])
    touch("touchStart", (x, y), (x + 40, y))
    touch("touchMove", (x, y), (x + 40, y))
    touch("touchMove", (x - 40, y), (x + 80, y))
    touch("touchEnd")
    assert float(shown_view(page)["zoom"]) == pytest.approx(3 * float(before["zoom"]), rel=0.01)
    page.click("#tools [role=radio]:first-child")
    page.locator("#layers").press("0")


def test_a_lasso_a_box_and_a_path_are_drawn_by_keys(page: Any, contents: Contents):
    layers = page.locator("#layers")
    map_, scale = contents.maps[0].places, min(layers.bounding_box()[one] for one in ("width", "height"))
    page.select_option("#map-choice", "pca")
    for tool in (2, 3):
        page.click(f"#tools [role=radio]:nth-child({tool})")
        keys = [f"Shift+Arrow{way}" for way in ("Right", "Down", "Left")[: 5 - tool] for _ in range(3)]
        for key in ("0", "Enter", *keys, "Enter"):
            layers.press(key)
        middle = (map_.min(axis=0) + map_.max(axis=0)) / 2
        units = (map_ - middle) / np.ptp(map_, axis=0).max() * 2 * scale / 2.2
        inside = (units[:, 0] > 0) & (units[:, 0] < 450) & (units[:, 1] < 0) & (units[:, 1] > -450)
        assert inside.sum() > 2
        found = page.locator("#selected strong").inner_text()
        assert abs(int(found) - inside.sum()) <= 1
    page.click("#tools [role=radio]:nth-child(4)")
    for key in ("0", "Enter", "ArrowRight", "Enter"):
        layers.press(key)
    until(page, shown("#view-between .strip canvas", 9))
    for key in ("Enter", "ArrowRight", "Escape"):
        layers.press(key)
    page.click("#tools [role=radio]:first-child")
    page.click("#tab-selection")
    for key in ("0", "S"):  # with the capital lock, too
        layers.press(key)
    assert page.locator("#selected strong").inner_text() == str(len(map_))


def test_alt_and_a_click_show_one_class_alone_and_all_again(page: Any):
    first = page.locator("#legend button").first
    first.click(modifiers=["Alt"])
    assert page.locator("#legend [aria-pressed=true]").count() == 1
    assert "hide=-1" not in shown_view(page)["hide"]
    first.click(modifiers=["Alt"])
    assert page.locator("#legend [aria-pressed=false]").count() == 0
    assert "hide" not in shown_view(page)


def test_it_is_printed_in_light_colours_and_whole(page: Any):
    page.emulate_media(media="print", color_scheme="dark")
    until(page, "getComputedStyle(document.body).color === 'rgb(22, 25, 31)'")
    ratio = "(one) => one.offsetWidth / one.offsetHeight"
    layers = page.locator("#layers")
    assert layers.evaluate(ratio) == pytest.approx(
        layers.evaluate("one => one.style.getPropertyValue('--aspect') * 1"), rel=0.01
    )
    legend = page.locator("#legend")
    assert legend.evaluate("one => one.scrollHeight <= one.clientHeight + 1")
    assert legend.bounding_box()["y"] >= layers.bounding_box()["y"] + layers.bounding_box()["height"]
    picture = pixels(page, "#layers")
    assert np.median(picture) > 240, "the paper is white"
    assert (np.ptp(picture, axis=2) > 60).sum() > 50, "points have their colours on it"
    page.emulate_media(media="screen", color_scheme="light")
    until(page, "document.getElementById('tools').offsetHeight > 0")


def test_nothing_failed_on_the_page(page: Any):
    assert page.failures == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not here (make explorer)")
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1100, "light")])
@pytest.mark.parametrize("tab", ["image", "sliders", "between", "classes", "selection"])
def test_the_page_breaks_no_rule_of_accessibility(page: Any, tab: str, width: int, scheme: str):
    """As on a phone in the dark too."""
    page.set_viewport_size({"width": width, "height": 700})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.click(f"#tab-{tab}")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run().then((result) => result.violations.map((one) => one.id + ': ' + one.nodes[0].html))"
    )
    assert found == []


def test_the_page_fits_a_phone(page: Any):
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_what_takes_a_network_waits_for_one(browser: Any, images: ImageSet, tmp_path: Path):
    contents = Contents(Subject("growing", images, tuple(described(images))))
    with served(Actions(lambda: contents, Labels(tmp_path / "labels.csv"), tmp_path)) as address:
        page = browser.new_page()
        page.goto(address)
        page.wait_for_selector("body[data-ready]", timeout=SLOW)
        page.locator("#layers").press("Enter")
        until(page, shown("#view-image .trio canvas", 1))
        assert page.get_by_role("button", name="Pick as A").count() == 0
        until(page, shown("button:disabled, input:disabled", 4))  # a grid, a path, one's own image, a drawing
        assert "once the training has ended" in page.locator("#zooms button").last.get_attribute("title")
        page.close()


def test_one_file_works_without_a_network(browser: Any, contents: Contents, tmp_path: Path):
    path = tmp_path / "page.html"
    path.write_bytes(one_file(contents))
    asked: list[str] = []
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri(), timeout=SLOW)
    page.wait_for_selector("body[data-ready]", timeout=SLOW)
    box = page.locator("#layers").bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
    before = pixels(page, "#decoded")
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + box["height"] / 2)
    until_changed(page, "#decoded", before)
    file = BytesIO()  # the encoder's weights lie in two places of the file
    Image.fromarray(contents.subject.images.pixels[3, 0]).save(file, "PNG")
    page.set_input_files(
        "input[type=file]", {"name": "mine.png", "mimeType": "image/png", "buffer": file.getvalue()}
    )
    until(page, "document.getElementById('status').textContent.includes('mine.png lies')")
    assert "its code is not refined" in page.locator("#status").inner_text()
    assert all(one.startswith(("file:", "blob:", "data:")) for one in asked)
    context.close()
