"""The page of all studies, gathered and drawn once for the tests that look at it."""

import pytest

from latentspace.analysis import RunContext, analyse_growth, gather
from latentspace.report.page import Page, Section
from latentspace.report.published import REPORT
from latentspace.report.run.sections import data_section, section_of
from latentspace.runs.directory import Run
from latentspace.studies.foscarin2021.page import Studies, whole_page


@pytest.fixture(scope="session")
def whole(small_runs: dict[str, Run]) -> Page:
    subjects = {name: RunContext.open(run) for name, run in small_runs.items()}
    shown = {kind: gather(subjects[kind]) for kind in ("ae", "dae", "classifier", "vae")}
    grown = analyse_growth((subjects["ae"], subjects["ae-code-2"]))
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
