"""The page of the doctor: one screen of verdicts, then each finding with its images and a command."""

from typing import Final

from ..core.wording import counted
from ..evaluation.doctor.examine import Diagnosis
from ..evaluation.doctor.finding import Finding as Found
from ..evaluation.doctor.registry import FINDERS
from .gallery import Gallery, gallery
from .page import Finding, Page, Section, Table, present

SHOWN: Final = 60  # images of a finding
NEXT: Final = "What to do next"


def doctor_page(diagnosis: Diagnosis) -> Page:
    """What was found, the worst first."""
    subject, found = diagnosis.subject, diagnosis.found()
    bad = sum(one.severity == "bad" for one in found.values())
    lead = (
        f"{counted(len(subject.images))} ({subject.images.source}) of {subject.spec}: "
        f"{counted(bad, 'thing')} to mend, and {counted(len(found) - bad, 'thing')} to look at."
    )
    sections = tuple(_section(diagnosis, name) for name in _shown(diagnosis))
    after = _next(diagnosis)
    return Page(
        f"What is wrong with {_called(subject.spec)}",
        lead,
        findings=(*map(_verdict, found.values()), *_rest(diagnosis), *(_after(one) for one in after)),
        sections=(*sections, *after),
        footer=_footer(diagnosis),
    )


def _shown(diagnosis: Diagnosis) -> list[str]:
    """The findings that have something to show."""
    return [name for name, one in diagnosis.findings.items() if one.found or one.tables]


def _verdict(found: Found) -> Finding:
    title = _capital(found.headline)
    return Finding(title, "", False if found.severity == "bad" else None, found.advice, section=title)


def _rest(diagnosis: Diagnosis) -> list[Finding]:
    """What is as it should be, and what could not be looked for, in a line each."""
    fine = [one.headline for one in diagnosis.findings.values() if one.severity == "fine"]
    why: dict[str, list[str]] = {}
    for name, one in diagnosis.findings.items():
        if one.severity == "skipped":
            why.setdefault(one.headline, []).append(FINDERS[name].title)
    skipped = "; ".join(f"{', '.join(titles)}: {reason}" for reason, titles in why.items())
    good = [Finding("As it should be", f"{_capital('; '.join(fine))}.", good=True)] if fine else []
    return good + ([Finding("Not looked for", f"{_capital(skipped)}.")] if skipped else [])


def _section(diagnosis: Diagnosis, name: str) -> Section:
    found = diagnosis.findings[name]
    return Section(
        _capital(found.headline),
        tuple(one for one in (found.evidence, found.advice) if one),
        tables=tuple(Table(one.title, one.columns, one.rows) for one in found.tables),
        galleries=present(_gallery(diagnosis, found)),
        commands=(found.command,) if found.command else (),
    )


def _after(section: Section) -> Finding:
    return Finding(section.title, "A table of what to keep, and a training on it.", section=section.title)


def _next(diagnosis: Diagnosis) -> tuple[Section, ...]:
    """What to do with all of it, where a cleaned table has something to say."""
    fixing = [one.command for one in diagnosis.found().values() if "--fix " in one.command]
    if not fixing:
        return ()
    words = (
        "The first command writes a table with a row an image: keep or drop, and why. What is to be looked "
        "at is kept, with the reason: write drop there, where it shall go. The images stay as they are.",
        "The second trains on what is kept.",
    )
    train = "latentspace train ae --data cleaned.csv --out runs/cleaned"
    return (Section(NEXT, words, commands=(fixing[0], train)),)


def _gallery(diagnosis: Diagnosis, found: Found) -> Gallery | None:
    """The first images of a finding, each beside the one that it is compared with."""
    subject = diagnosis.subject
    images = subject.other if found.other and subject.other is not None else subject.images
    rows = found.rows[:SHOWN]
    if not len(rows) or images.channels not in (1, 3):
        return None
    columns = {"image": images.pixels[rows]}
    if found.beside is not None:
        columns["compared with"] = subject.images.pixels[found.beside[:SHOWN]]
    names = [images.names_of(rows)]
    if found.beside is not None:
        names.append(subject.images.names_of(found.beside[:SHOWN]))
    details = found.details or ("",) * len(rows)
    classes = [images.class_of(int(row)) for row in rows] if images is subject.images else [""] * len(rows)
    captions = [
        (*called, *((f"class {label}",) if label else ()), *((detail,) if detail else ()))
        for called, label, detail in zip(zip(*names, strict=True), classes, details, strict=False)
    ]
    note = f"The first {SHOWN} of {len(found.rows):,}; --json names all." if len(found.rows) > SHOWN else ""
    return gallery(columns, captions, note)


def _footer(diagnosis: Diagnosis) -> tuple[str, ...]:
    subject = diagnosis.subject
    codes = (f"Compared by {subject.coder.words}.",) if "coder" in vars(subject) else ()
    return (f"Content hash {subject.images.content_hash[:16]}.", *codes)


def _called(spec: str) -> str:
    """A source's name without what lies before it: the folder, the file, the word."""
    return spec.rstrip("/").rpartition("/")[2] or spec


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
