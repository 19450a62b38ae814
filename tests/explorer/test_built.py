"""The page in the package is what its source gives; its lock file names no registry."""

import shutil
import subprocess
from gzip import compress
from importlib.resources import files
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "explorer" / "web"
STATIC = Path(str(files("latentspace.explorer"))) / "static"


def test_what_is_built_is_what_the_source_gives(tmp_path: Path):
    if shutil.which("node") is None or not (WEB / "node_modules" / "esbuild").is_dir():
        pytest.skip("no Node with the page's packages here (make explorer)")
    subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=WEB, check=True, timeout=250)
    for file in sorted(STATIC.iterdir()):
        assert (tmp_path / file.name).read_bytes() == file.read_bytes(), f"{file.name}: run make explorer"


def test_the_lock_file_has_hashes_and_no_address():
    text = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity"' in text
    assert "http" not in text.replace("https://opencollective", "").replace("https://github", "")
    assert '"resolved"' not in text


def test_our_own_script_is_small():
    assert (
        sum(len(compress((STATIC / name).read_bytes(), 9)) for name in ("explorer.js", "worker.js")) < 150_000
    )
