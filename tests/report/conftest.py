"""The page of all studies, gathered and drawn once for the tests that look at it."""

import pytest

from latentspace.exhibits import Subject, gather, gather_growth
from latentspace.report.page import Page, Section
from latentspace.report.published import REPORT
from latentspace.report.run_sections import data_section, section_of
from latentspace.report.whole import Studies, whole_page
from latentspace.runs import Run


@pytest.fixture(scope="session")
def whole(small_runs: dict[str, Run]) -> Page:
    subjects = {name: Subject.open(run) for name, run in small_runs.items()}
    shown = {kind: gather(subjects[kind]) for kind in ("ae", "dae", "classifier", "vae")}
    grown = gather_growth((subjects["ae"], subjects["ae-code-2"]))
    return whole_page(
        Studies(
            "bars",
            **shown,
            reported=subjects["classifier"],
            growth=grown,
            data=data_section(subjects["ae"], REPORT),
            sections=tuple(section_of(one, REPORT) for one in shown.values()),
            searches=(Section("The search: autoencoder", ("Twelve trials.",)),),
        )
    )
