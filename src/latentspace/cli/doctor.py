"""latentspace doctor"""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..core.errors import ConfigurationError
from ..core.wording import counted
from . import console
from .engines import computed_by
from .options import Device, Engine, Json, Reading

if TYPE_CHECKING:
    from ..evaluation.doctor.examine import Diagnosis
    from ..evaluation.doctor.subject import Subject
    from ..inference.computing import Computed

_UNFIXABLE = ("tiles", "deduplicate", "limit")
MARKS = {"bad": "mend: ", "look": "look: ", "fine": "", "skipped": "not looked for: "}


@dataclass(frozen=True, kw_only=True)
class DoctorOptions:
    """What images are compared by, and with."""

    panel: ClassVar = "Examination"

    run: Annotated[
        Path | None,
        "Compare images by the codes of this run. \\[default: a small autoencoder, trained first]",
        "RUN",
    ] = None
    against: Annotated[str | None, "Another set, to find out whether it differs from DATA.", "OTHER"] = None
    fail_on: Annotated[
        str | None, "Exit with code 1 if any of these is found, such as leaks,copies.", "NAMES"
    ] = None
    device: Device = "auto"
    engine: Engine = "local"
    reading: Reading

    @property
    def failing(self) -> tuple[str, ...]:
        """The findings that `--fail-on` names. Raises: ConfigurationError: there is no such finding."""
        from ..evaluation.doctor.registry import FINDERS

        return tuple(FINDERS.require(one.strip()) for one in (self.fail_on or "").split(",") if one.strip())

    def subject(self, data: str, computed: "Computed") -> "Subject":
        """The images of DATA, what they are compared by, and what computes that."""
        from ..data.sources import load_images
        from ..evaluation.doctor.codes import Coder, trained_here
        from ..evaluation.doctor.files import file_facts
        from ..evaluation.doctor.subject import Subject

        coder = (
            None if self.run is None else Coder.of_run(self.run, self.device)
        )  # refused before images are read
        config = self.reading.config(data)
        images = load_images(config)
        other = None if self.against is None else load_images(self.reading.config(self.against))
        return Subject(
            images,
            config.spec,
            (lambda: trained_here(images, self.device)) if coder is None else (lambda: coder),
            file_facts(config.spec, images),
            other,
            computed,
            reading=_written(self.reading),
            examining=self._examining,
        )

    @property
    def _examining(self) -> str:
        """What was given, as on a command line, but for what `--fix` refuses."""
        run = "" if self.run is None else shlex.join(["--run", str(self.run.resolve())])
        return f"{_written(self.reading, without=_UNFIXABLE)} {run}".strip()


def _written(reading: Reading, without: Sequence[str] = ()) -> str:
    """What was given, as on a command line, but for the options `without`."""
    from ..core.wording import option

    said = {name: value for name, value in vars(reading).items() if value and name not in without}
    return " ".join(shlex.join(option(name, value).split(" ", 1)) for name, value in said.items())


def doctor(
    *,
    data: Annotated[str, typer.Argument(metavar="DATA", help="The images: a SPEC as for train --data.")],
    out: Annotated[Path | None, "Write a page with the images of each finding.", "PAGE.html"] = None,
    fix: Annotated[
        Path | None,
        "Write a table of the images to keep, for train --data; no image is changed.",
        "OUT.csv",
    ] = None,
    force: Annotated[bool, "Replace an existing file."] = False,
    json: Json = False,
    options: DoctorOptions,
) -> None:
    """Find problems in images: copies, leaks, blank and blurred ones, wrong labels, shortcuts, drift.

    Images are compared by codes: those of --run, or of a small autoencoder that is trained first, in about a
    minute.

    [bold]Examples[/bold]

      latentspace doctor photos/ --out doctor.html

      latentspace doctor photos/ --fix cleaned.csv

      latentspace doctor photos/ --fail-on leaks,copies --json
    """
    failing = options.failing
    _refuse_early(out, fix, options.reading, force=force)
    from ..evaluation.doctor.examine import examine

    with console.following(), computed_by(options.engine, options.device) as computed:
        diagnosis = examine(options.subject(data, computed))
    written = _write(diagnosis, out, fix, force=force)
    if json:
        console.show_json({**diagnosis.to_json(), **written})
    else:
        _show(diagnosis)
        for path in (out, fix):
            if path is not None:
                console.made(path)
        if fix is not None:
            console.say(f"{counted(written['dropped'])} left out; learn from the others:")
            console.say(f"  latentspace train ae --data {shlex.quote(str(fix))}")
    if found := [name for name in failing if diagnosis.findings[name].found]:
        console.note(f"found, and named by --fail-on: {', '.join(found)}")
        raise typer.Exit(1)


def _refuse_early(out: Path | None, fix: Path | None, reading: Reading, *, force: bool) -> None:
    from ..core.output_files import refuse_file
    from ..core.wording import option

    for path, ending in ((out, ".html"), (fix, ".csv")):
        if path is not None:
            _require_ending(path, ending)
            refuse_file(path, force=force)
    if fix is not None and any(getattr(reading, name) for name in _UNFIXABLE):
        raise ConfigurationError(
            "--fix names the images of the source, as they are",
            found=" or ".join(map(option, _UNFIXABLE)),
            do="leave these out, or write a page alone",
        )


def _write(diagnosis: "Diagnosis", out: Path | None, fix: Path | None, *, force: bool) -> dict[str, Any]:
    """Write the page and the cleaned table where they were asked for; what is said of them."""
    from ..core.output_files import write_file
    from ..evaluation.doctor.examine import cleaned
    from ..report.doctor import doctor_page
    from ..report.page import render

    said: dict[str, Any] = {}
    if out is not None:
        write_file(out, render(doctor_page(diagnosis)), force=force)
        said["out"] = str(out)
    if fix is not None:
        said |= {"fix": str(fix), "dropped": cleaned(diagnosis, fix, force=force)}
    return said


def _require_ending(path: Path, ending: str) -> None:
    if path.suffix.casefold() != ending:
        raise ConfigurationError(
            f"{'the page' if ending == '.html' else 'the cleaned table'} is a {ending} file",
            found=path.name,
            do=f"name it for example {path.stem}{ending}",
        )


def _show(diagnosis: "Diagnosis") -> None:
    rows = [[name, f"{MARKS[one.severity]}{one.headline}"] for name, one in diagnosis.findings.items()]
    console.show_facts(diagnosis.subject.spec, rows)
    by_command: dict[str, list[str]] = {}
    for one in diagnosis.found().values():
        by_command.setdefault(one.command, []).append(f"{one.headline}: {one.advice}")
    for command, lines in by_command.items():
        for line in (*lines, f"  {command}"):
            console.say(line)
