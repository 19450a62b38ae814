"""A study directory -> its page, its figures and the file of its trials."""

from dataclasses import replace
from pathlib import Path

from ...core.atomic_files import sweep, write_bytes, write_text
from ...core.output_files import made_folder
from ...core.wording import SEEN_BY_ENCODER, counted
from ...experiment.tasks import TASKS
from ...search.load import read_study
from ...search.positions import in_words, labels
from ...search.results import StudyRecord
from ...search.significance import at_boundary, comparisons, runner_up
from ..beside import Beside, Find, nothing
from ..page import Page, Section, Table, present, render
from ..run.write import refuse_place
from .pictures import (
    front_picture,
    history_picture,
    importances_picture,
    parallel_picture,
    reported_picture,
    slices_picture,
    why_no_importances,
)
from .tables import (
    TOP,
    best_table,
    counts_table,
    failures_table,
    front_table,
    replicated_table,
    trials_csv,
    trials_table,
)

BEST = "The best parameters"
AS_A_RECIPE = (
    "Once the search is at its end, best.toml holds these and all other settings; its first line says how to "
    "train them again."
)
SHORT = ("Trial by trial", "Epoch by epoch", "Which settings matter")  # shown beside other studies

# The names of the figures' files, by the titles of their pictures.
FILES = {
    "Trial by trial": "history",
    "Epoch by epoch": "intermediate-values",
    "Which settings matter": "importances",
    "The score by setting": "slices",
    "All settings at once": "parallel-coordinates",
    "What each buys of the other": "front",
}


def report_study(
    path: Path,
    url: str | None = None,
    title: str | None = None,
    published: Find = nothing,
    out: Path | None = None,
    *,
    force: bool = False,
) -> Path:
    """Write the page of a study, as `write_study` does, there or in `out`; return the page's path.

    Args:
        out, force: as `report_run` takes them.
    """
    refuse_place(path, out, force=force)
    if out is None:
        write_study(path, url, title, published)
        return path / "report.html"
    with made_folder(out, force=force) as folder:
        write_study(path, url, title, published, folder)
    return out / "report.html"


def write_study(
    path: Path,
    url: str | None = None,
    title: str | None = None,
    published: Find = nothing,
    folder: Path | None = None,
) -> tuple[StudyRecord, Page]:
    """Write STUDY/report.html, STUDY/figures/*.png and STUDY/trials.csv; return what was read and the page.

    A search that is still going on is reported as far as it has come.

    Args:
        url: of the study's database, where it needs a password.
        title: of the page; by default the name of the study and what was searched.
        published: finds the published study that the page stands beside, if there is one.
        folder: where they are written; None: into the study.

    Raises:
        RunError: there is no study at `path`, or it is damaged.
        OutputError: its storage cannot be reached, or the place cannot be written.
    """
    record, place = read_study(path, url), folder or path
    page = study_page(path.resolve().name, record, published(record.kind, record.comparable))
    page = replace(page, title=title or page.title)
    for section in page.sections:
        for picture in section.pictures:
            write_bytes(place / "figures" / f"{FILES[picture.title]}.png", picture.png)
    write_text(place / "trials.csv", trials_csv(record))
    write_text(place / "report.html", render(page))
    for made in (place, place / "figures"):
        sweep(made)
    return record, page


def study_page(name: str, record: StudyRecord, beside: Beside | None = None) -> Page:
    """The page of a search.

    Args:
        name: of the study.
        beside: a published study whose result stands beside that of the best parameters, or None.
    """
    found = _front_section(record) if not record.single else _best_section(record, beside)
    parts = [found, _significance_section(record), _course_section(record), _settings_section(record)]
    return Page(
        title=f"{name}: a search for the {TASKS[record.kind].title}",
        lead=_lead(record),
        notices=_notices(record),
        sections=tuple(part for part in (*parts, _trials_section(record)) if part is not None),
        footer=_footer(record),
    )


def search_section(record: StudyRecord, page: Page, address: str, beside: Beside | None = None) -> Section:
    """The search in short, as a part of a page of several studies.

    Args:
        page: of the search alone; its best parameters and counts, and some of its pictures, are shown here.
        address: of that page, as seen from the other.
        beside: a published study whose parameters stand beside the best ones, or None.
    """
    kind = TASKS[record.kind].title
    text = [page.lead]
    for section in page.sections:
        if section.title in (BEST, "What mattered"):
            text += [paragraph for paragraph in section.text if paragraph != AS_A_RECIPE]
    tables = [counts_table(record)]
    if record.best is not None:
        tables.insert(0, best_table(record, record.best, beside))
    return Section(
        f"The search: {kind}",
        tuple(text),
        tuple(
            replace(picture, title=f"{picture.title}, {kind}")
            for section in page.sections
            for picture in section.pictures
            if picture.title in SHORT
        ),
        tuple(tables),
        links=((f"The whole report of this search: {address}", address),),
    )


def _lead(record: StudyRecord) -> str:
    finished = len(record.of_state("complete", "pruned", "failed"))
    done = (
        f"{counted(finished, 'trial')} of up to {counted(record.epochs, 'epoch')}: "
        f"{len(record.of_state('complete')):,} complete, {len(record.of_state('pruned')):,} pruned, "
        f"{len(record.of_state('failed')):,} failed."
    )
    if not record.usable:
        return f"{done} None has a value yet, so there is nothing to compare."
    if record.best is None:
        return f"{done} {len(record.front):,} of them are on the front of {' and '.join(record.objectives)}."
    saved = f" Pruning saved {record.share_saved:.0%} of the epochs." if record.epochs_saved else ""
    return (
        f"{done} The best is trial {record.best.number}, with a validation {record.objectives[0]} of "
        f"{record.best.values[0]:.5g}.{saved}"
    )


def _notices(record: StudyRecord) -> tuple[str, ...]:
    """What must be known before any number is read."""
    said = []
    if record.notes.get("encoder_fit") == "train+validation":
        said.append(SEEN_BY_ENCODER)
    found = at_boundary(record)
    if found:
        names = labels(record.searched)
        which = ", ".join(f"{names[one.setting]} = {in_words(one.value)}" for one in found)
        said.append(
            f"The best parameters are at the boundary of the search space in {len(found)} of "
            f"{len(record.searched)} settings: {which}. A wider range may hold better ones."
        )
    said += [
        f"Trained again from several seeds, trial {one.other} is significantly better than the best trial of "
        f"the search, trial {one.best}."
        for one in comparisons(record)
        if one.reversed
    ]
    failed, finished = (len(record.of_state(*states)) for states in (("failed",), ("complete", "failed")))
    if failed and 2 * failed > finished:
        said.append(f"More trials failed ({failed:,}) than were completed. The reasons are at the end.")
    if record.of_state("running"):
        said.append(f"Trials that are running, or whose worker is gone: {len(record.of_state('running')):,}.")
    return tuple(said)


def _best_section(record: StudyRecord, beside: Beside | None) -> Section | None:
    if record.best is None:
        return None
    text = [
        AS_A_RECIPE,
        *(one.sentence[:1].upper() + one.sentence[1:] for one in at_boundary(record)),
    ]
    score, test = record.objectives[0], record.test
    if test is not None and score in test:
        published = None if beside is None else beside.result(record.kind, score)
        said = (
            ""
            if beside is None or published is None
            else f"; {beside.name}'s was {published}, on its own split"
        )
        text.append(
            f"Trained in full and evaluated once, on {counted(test['images'])} of the test part, they reach "
            f"a {score} of {test[score]:.5g}{said}."
        )
    return Section(BEST, tuple(text), tables=(best_table(record, record.best),))


def _front_section(record: StudyRecord) -> Section | None:
    if not record.usable:
        return None
    text = (
        f"Several objectives ({', '.join(record.objectives)}) have no best trial but a front. Nothing was "
        "pruned: only one value can stop a trial. The folder front holds a recipe for each of these.",
    )
    return Section("The front", text, present(front_picture(record)), (front_table(record),))


def _significance_section(record: StudyRecord) -> Section | None:
    """Whether the lead is significant; where that was not measured, that it was not."""
    second = runner_up(record)
    if record.best is None or (second is None and not record.replicated):
        return None
    text = [one.sentence for one in comparisons(record)]
    if not text and second is not None:
        lead = abs(second.values[0] - record.best.values[0])
        text.append(
            f"Trial {record.best.number} leads trial {second.number} by {lead:.3g}. Whether that is more "
            "than chance was not measured: latentspace search --resume --confirm 3x3 trains the "
            "three best again, from three seeds each."
        )
    text.append(
        "The best of many trials is chosen by a score that depends on its seed too, so it is usually "
        "a little worse when it is trained again."
    )
    tables = (replicated_table(record),) if record.replicated else ()
    return Section("Is the best trial significantly better", tuple(text), tables=tables)


def _course_section(record: StudyRecord) -> Section:
    pictures = (history_picture(record), reported_picture(record)) if record.usable else ()
    return Section("The search", (), present(*pictures), (counts_table(record),))


def _settings_section(record: StudyRecord) -> Section | None:
    if not record.usable:
        return None
    pictures = importances_picture(record), slices_picture(record), parallel_picture(record)
    text = why_no_importances(record)
    if not record.single:
        text = (*text, f"The scores below are of the first objective, {record.objectives[0]}.")
    return Section("What mattered", text, present(*pictures))


def _trials_section(record: StudyRecord) -> Section:
    tables: list[Table] = []
    if record.usable:
        title = f"The {min(TOP, len(record.usable))} best trials" if record.single else "The best by error"
        tables.append(trials_table(record, record.ranked()[:TOP], title))
    failures = failures_table(record)
    if failures is not None:
        tables.append(failures)
    text = f"trials.csv, next to this page, has all of the {counted(len(record.trials), 'trial')}."
    return Section("The trials", (text,), tables=tuple(tables))


def _footer(record: StudyRecord) -> tuple[str, ...]:
    split, pruning = record.notes.get("split", {}), record.notes.get("pruning", {})
    ways = ", ".join(f"{name} {way}d" for name, way in zip(record.objectives, record.directions, strict=True))
    content = str(record.notes.get("content_hash") or "not named")[:16]
    lines = [
        f"Seed {record.seed}; {ways}; every score is of the validation part.",
        f"Images: {record.notes.get('data') or 'not named'}, content {content}"
        + (f"; split {split['shares']}, seed {split['seed']}." if split else "."),
    ]
    if pruning and record.single:
        lines.append(
            f"Pruned by the median of earlier trials, after {pruning['startup_trials']} complete trials and "
            f"{counted(pruning['warmup_steps'], 'epoch')}."
        )
    return tuple(lines)
