"""What the README and the documents promise is true: the code runs, commands, settings and links exist."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer.main
from pydantic import BaseModel

import latentspace
from latentspace.cli.main import app
from latentspace.core.config import overrides
from latentspace.data.readers.idx import write_idx_folder
from latentspace.evaluation.metrics import METRICS
from latentspace.experiment.config import Experiment, models_of, objectives_of
from latentspace.experiment.recipe import Recipe
from latentspace.experiment.search_space import SearchConfig
from latentspace.experiment.settings import Setting, by_name, limits_of, settings_of, written
from latentspace.experiment.tasks import TASKS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = ROOT / "docs" / "reference.md"


def blocks(document: Path, language: str) -> list[str]:
    """The fenced code of a document that is marked as `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S)


def name(document: Any) -> str:
    return document.relative_to(ROOT).as_posix() if isinstance(document, Path) else ""


def test_the_python_of_the_readme_runs(plan: Experiment, images, tmp_path, monkeypatch, capsys):
    """On a tiny run: `letters` and `runs/letters` are made here as the commands above it would."""
    monkeypatch.chdir(tmp_path)
    write_idx_folder(images, tmp_path / "letters")
    data = plan.data.model_copy(update={"spec": "letters"})
    latentspace.train(plan.model_copy(update={"data": data}), "runs/letters")
    (code,) = blocks(README, "python")
    assert len(code.strip().splitlines()) <= 10
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["codes"].shape == (len(images), 3)
    assert names["decoded"].shape == images.pixels.shape
    np.testing.assert_allclose(names["reconstructed"], names["decoded"])
    assert names["halfway"].shape == (1, *images.shape)
    assert re.fullmatch(r"0\.\d{4} on 24 test images\n", capsys.readouterr().out)


@cache
def program() -> Any:
    """All commands with their options."""
    return typer.main.get_command(app)


def commands() -> Iterator[tuple[str, str]]:
    """Every line that begins with `latentspace` in the documents' shell blocks, continued lines joined."""
    for document in DOCUMENTS:
        for block in blocks(document, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                bare = re.sub(r"^[A-Z_]+=\S+ ", "", line.strip())
                if bare.startswith(("latentspace ", ".venv/bin/latentspace ")):
                    yield name(document), bare


@pytest.mark.parametrize(("document", "line"), list(commands()))
def test_every_command_in_the_documents_exists_with_its_options(document: str, line: str):
    words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
    command = program()
    while words and hasattr(command, "commands") and not words[0].startswith("-"):
        assert words[0] in command.commands, f"no command {words[0]}"
        command = command.commands[words.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
    given = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    assert set(given) <= known | {"--help", "-h", "--version"}


@pytest.mark.parametrize(("document", "line"), [one for one in commands() if "--set" in one[1]])
def test_every_setting_in_a_command_is_one(document: str, line: str):
    words = shlex.split(line, comments=True)
    assignments = [after for before, after in pairwise(words) if before == "--set"]
    kind = next((word for word in words if word in TASKS), "ae")
    preset = next((after for before, after in pairwise(words) if before == "--preset"), "default")
    Recipe(preset=preset).experiment(kind, overrides(assignments))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_recipe_in_a_document_is_one(document: Path):
    for block in blocks(document, "toml"):
        recipe = Recipe.parse(tomllib.loads(block), "the document's recipe")
        for kind in TASKS:
            recipe.experiment(kind)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_link_inside_the_project_leads_somewhere(document: Path):
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    inside = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert [target for target in inside if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_file_of_ours_that_is_named_exists(document: Path):
    """`data/readers/idx.py` is one below src/latentspace, `tests/runner.py` one of the project."""
    named = re.findall(
        r"`([\w.]+(?:/[\w.-]+)+\.(?:py|md|toml|txt|j2|png))`", document.read_text(encoding="utf-8")
    )
    places = (ROOT, ROOT / "src" / "latentspace", ROOT / "docs")
    assert [one for one in named if not any((place / one).exists() for place in places)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_make_targets_exist(document: Path):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    asked = re.findall(r"(?:`|^)(?:PIP\S+ )?make ([a-z]+)\b", document.read_text(encoding="utf-8"), re.M)
    assert set(asked) <= set(targets)


def test_the_picture_is_small():
    (picture,) = re.findall(r"!\[[^]]+\]\((docs/images/\S+\.png)\)", README.read_text(encoding="utf-8"))
    assert (ROOT / picture).stat().st_size < 150_000


def leaves(config: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(`training.epochs`, 50), ... of a configuration and those in it."""
    for key in type(config).model_fields:
        value = getattr(config, key)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def rows(*sections: str) -> dict[str, str]:
    """The rows of tables in sections of the reference, by the name in code quotes that each begins with."""
    text = REFERENCE.read_text(encoding="utf-8")
    found = [text.partition(f"\n## {one}\n")[2].partition("\n## ")[0] for one in sections]
    assert all(found)
    lines = [line for section in found for line in section.splitlines() if line.startswith("| `")]
    return {line.split("`")[1]: line for line in lines}


def settings() -> dict[str, str]:
    """The default of each setting, and of each key of a recipe, as the reference has it."""
    return {name: line.split("|")[2].strip() for name, line in rows("Settings", "Recipes").items()}


def code(default: str) -> str:
    return default if default == "–" else f"`{default}`"


def row(name: str, of_kinds: tuple[Setting, ...]) -> str:
    """A setting as the reference has it: a default for all kinds, or each with its kinds."""
    having: dict[str, list[str]] = {}
    for one in of_kinds:
        having.setdefault(code(written(one.default)), []).append(one.kind)
    defaults = [f"{default} ({', '.join(kinds)})" for default, kinds in having.items()]
    if len(having) == 1 and len(of_kinds) == len(TASKS):
        defaults = list(having)
    if name == "kind":
        defaults = [code(kind) for kind in TASKS]
    limits = f" ({limits_of(of_kinds)})" if limits_of(of_kinds) else ""
    return f"| `{name}` | {', '.join(defaults)} | {of_kinds[0].meaning}{limits} |"


def test_the_reference_has_a_row_for_each_task():
    def listed(names: tuple[str, ...]) -> str:
        return ", ".join(map(code, names))

    assert rows("Tasks") == {
        name: f"| `{name}` | {task.title} | {listed(models_of(name))} | {listed(objectives_of(name))} | "
        f"{'lowest' if task.direction == 'minimize' else 'highest'} `{task.score}` |"
        for name, task in TASKS.items()
    }


def test_the_reference_has_a_row_for_each_metric_and_each_part_of_a_loss():
    """With its name, title, unit and better way as the code has them, and a formula."""
    listed = {name: line.rpartition(" | ")[0] for name, line in rows("Metrics").items()}
    assert listed == {
        name: f"| `{name}` | {metric.title} | {metric.unit or '–'} | {metric.better or '–'}"
        for name, metric in METRICS.items()
    }
    assert all(len(line.split("|")[5].strip()) > 10 for line in rows("Metrics").values())


def test_the_reference_has_a_row_for_each_setting_as_the_code_has_it():
    """And no other."""
    assert rows("Settings") == {name: row(name, settings) for name, settings in by_name(tuple(TASKS)).items()}


def test_the_reference_has_those_that_the_reports_networks_alone_have():
    usual, reported = by_name(tuple(TASKS)), by_name(tuple(TASKS), "report")
    own = {name: row(name, settings) for name, settings in reported.items() if name not in usual}
    assert rows("The report's networks") == own


def test_the_reference_has_those_that_other_networks_and_objectives_alone_have():
    found: dict[str, list[Setting]] = {}
    for kind in TASKS:
        usual, reported = settings_of(kind), settings_of(kind, "report")
        meanings = {one.name: one.meaning for one in usual}
        named = {one.default for one in (*usual, *reported) if one.name.endswith(".name")}
        for table, members in (("model", models_of(kind)), ("objective", objectives_of(kind))):
            for member in (one for one in members if one not in named):
                for one in settings_of(kind, changes={table: {"name": member}}):
                    known = meanings.get(one.name, "").startswith(one.meaning)
                    if one.name.startswith(table) and not known:
                        found.setdefault(f"{one.name} of {member}", []).append(one)
    expected = {name: row(name, tuple(settings)) for name, settings in found.items()}
    assert rows("Other networks and objectives") == expected


@pytest.mark.parametrize("kind", tuple(TASKS))
def test_the_settings_are_those_of_a_plan(kind):
    found = {one.name: one for one in settings_of(kind)}
    assert {name: one.default for name, one in found.items()} == dict(
        leaves(Recipe(preset="default").experiment(kind))
    )
    assert all(one.meaning for one in found.values())


def test_a_setting_of_several_kinds_means_the_same_in_each():
    for name, of_kinds in by_name(tuple(TASKS)).items():
        assert len({one.meaning for one in of_kinds}) == 1, name
        assert name.endswith(".name") or len({one.limits for one in of_kinds}) == 1, name


def test_the_reference_lists_every_table_of_a_recipe():
    listed = settings()
    assert [
        key for key in (*Recipe.model_fields, *TASKS) if key not in listed and key not in ("data", "split")
    ] == []
    for key, field in SearchConfig.model_fields.items():
        if not field.is_required():
            assert listed[f"search.{key}"] == code(written(field.default))


def test_the_reference_names_every_file_of_a_run(plan: Experiment, tmp_path):
    run = latentspace.train(plan, tmp_path / "run")
    latentspace.evaluate(run.path)
    text = REFERENCE.read_text(encoding="utf-8")
    for file in run.path.rglob("*"):
        if file.is_file() and not file.name.startswith("."):
            relative = file.relative_to(run.path).as_posix()
            assert f"`{relative}`" in text or f"`{relative.partition('/')[0]}/`" in text, relative


def test_the_reference_names_every_key_that_scripts_read(plan: Experiment, tmp_path):
    run = latentspace.train(plan, tmp_path / "run")
    result = latentspace.evaluate(run.path).to_json()
    text = REFERENCE.read_text(encoding="utf-8")
    for key in {"run", *result, *run.metrics[0]}:
        assert f"`{key}`" in text, key
