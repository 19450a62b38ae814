"""The code of docs/guide/scikit-learn.md runs as it stands there, block after block."""

import re
from pathlib import Path
from typing import Any

import numpy as np

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "scikit-learn.md"


def test_the_python_of_the_guide_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code in re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S):
        exec(compile(code, GUIDE.name, "exec"), names)
    assert names["codes"].shape == (200, 4)
    assert names["decoded"].shape == names["images"].shape
    assert names["odd"].shape == (10, 8, 8)
    assert names["drawn"].shape == names["denser"].shape == (16, 8, 8)
    assert names["accuracy"] > 0.5
    assert names["search"].best_params_ == {"convautoencoder__code_size": 8}
    assert np.array_equal(names["same"].transform(names["images"]), names["codes"])
