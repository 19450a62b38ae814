"""The model card of a run: its page in Markdown, with the front matter that the Hugging Face hub reads."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..analysis import Analysis, RunContext, analyse
from ..core.devices import AUTO
from ..core.printable import printable
from ..core.wording import counted
from ..data.config import DataConfig
from ..evaluation.metrics import METRICS, label
from ..runs.directory import Run
from .page import Page, Picture, Section, Table
from .run.page import run_page

FIGURES = "figures"


def model_card(
    run: Run, address: str, data: DataConfig | None = None, device: str = AUTO
) -> tuple[str, dict[str, bytes]]:
    """README.md, and the pictures that it shows by their paths beside it.

    Args:
        address: where others get the run, as `latentspace pull` takes it.
        data: where the run's own images are now; None: where they were.

    Raises:
        RunError: the run has not ended, or its data are gone.
        ConfigurationError: `data` are other images than the run's own.
        DeviceError: this machine has no such device.
    """
    context = RunContext.open(run, data, device)
    shown = analyse(context)
    page = run_page(shown, agreement=context.agreement)
    pictures = {_place(one): one.png for section in page.sections for one in section.pictures}
    parts = (_front(shown), _beginning(page), _loading(run, address), *map(_section, page.sections))
    return "\n".join([*parts, _limits(shown, page), _end(page)]), pictures


def _front(shown: Analysis) -> str:
    """The front matter, in YAML: each value as JSON, which is YAML too."""
    context, task = shown.context, shown.context.run.experiment.task
    use = "image-feature-extraction"
    if shown.classifier is not None:
        use = "image-classification"
    elif shown.denoiser is not None:
        use = "image-to-image"
    source = context.run.data.source
    metrics = [
        {"type": name, "name": label(name), "value": round(value, METRICS[name].digits + 2)}
        for name, value in context.result.metrics.items()
        if not isinstance(value, list) and name in METRICS
    ]
    result = {"task": {"type": use}, "dataset": {"name": source, "type": "images"}, "metrics": metrics}
    front: Mapping[str, Any] = {
        "library_name": "latentspace",
        "pipeline_tag": use,
        "tags": ["latentspace", task.title, "representation-learning"],
        "model-index": [{"name": context.run.path.resolve().name, "results": [result]}],
    }
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in front.items()]
    return "\n".join(["---", *lines, "---", ""])


def _beginning(page: Page) -> str:
    findings = [f"- **{_text(one.headline)}.** {_text(one.text)}" for one in page.findings]
    return "\n".join([f"# {_text(page.title)}", "", _text(page.lead), "", *findings, ""])


def _loading(run: Run, address: str) -> str:
    shape, name = "x".join(map(str, run.data.shape)), re.sub(r"[^\w.-]", "-", run.path.resolve().name)
    command, call = "encode", "codes = run.encode(images)  # images x code"
    if run.experiment.task.needs_encoder:
        command, call = "classify", "names = run.predict(images)  # a class for each image"
    return f"""## How to use it

With latentspace:

```sh
latentspace pull {address} --out runs/{name}
latentspace {command} runs/{name} photos/ --out table.csv
latentspace export runs/{name} --out onnx        # for use without latentspace
```

```python
import latentspace

run = latentspace.load("runs/{name}")
images = latentspace.load_data("photos/")  # or an array of images x channels x height x width
{call}
```

It takes images of {shape} (channels, height, width), from 0 to 1; others are brought to that.
`model.safetensors` holds the weights, `config.json` the plan that the network is built from.
"""


def _section(section: Section) -> str:
    lines = [f"## {_text(section.title)}", ""]
    for paragraph in section.text:
        lines += [_text(paragraph), ""]
    for table in section.tables:
        lines += [*_table(table), ""]
    for one in section.pictures:
        lines += [
            f"![{_text(one.alt)}]({_place(one)})",
            "",
            f"*{_text(one.title)}.* {_text(one.caption)}",
            "",
        ]
    return "\n".join(lines)


def _table(table: Table) -> Iterator[str]:
    yield f"**{_text(table.title)}**"
    yield ""
    yield _row(table.columns)
    yield _row(["--:" if number else "---" for number in table.numeric], escaped=False)
    yield from map(_row, table.rows)
    if table.note:
        yield ""
        yield _text(table.note)


def _limits(shown: Analysis, page: Page) -> str:
    run = shown.context.run
    split = run.split
    lines = [
        f"It has learned from {counted(len(run.learned_from), 'different image')} of {run.data.source}; "
        "how it does on images of another kind was not measured.",
        f"The results are of one training (seed {run.experiment.seed}) on one split, whose test part has "
        f"{counted(len(split.test))}.",
        *(one.text + (f" {one.advice}" if one.advice else "") for one in page.findings if one.good is False),
        *page.notices,
    ]
    return "\n".join(["## Limits", "", *(f"- {_text(one)}" for one in lines), ""])


def _end(page: Page) -> str:
    return "\n".join(["## How it was made", "", *(f"{_text(one)}  " for one in page.footer), ""])


def _place(one: Picture) -> str:
    return f"{FIGURES}/{one.file_name}.png"


def _row(cells: Any, *, escaped: bool = True) -> str:
    return f"| {' | '.join(_text(one) if escaped else one for one in cells)} |"


def _text(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_\[\]<>|#$])", r"\\\1", printable(text))
