"""The page of all studies, gathered and drawn once for the tests that look at it."""

import pytest

from latentspace.exhibits import Subject, gather, gather_growth
from latentspace.report.page import Page, Section
from latentspace.report.study import run_page
from latentspace.report.whole import Studies, whole_page
from latentspace.runs import Run


@pytest.fixture(scope="session")
def whole(small_runs: dict[str, Run]) -> Page:
    subjects = {name: Subject.open(run) for name, run in small_runs.items()}
    shown = {kind: gather(subjects[kind]) for kind in ("ae", "dae", "classifier", "vae")}
    grown = gather_growth((subjects["ae"], subjects["ae-code-2"]))
    pages = [run_page(one) for one in shown.values()]
    return whole_page(
        Studies(
            "bars",
            **shown,
            reported=subjects["classifier"],
            growth=grown,
            data=pages[0].sections[1],
            sections=tuple(page.sections[0] for page in pages),
            searches=(Section("The search: autoencoder", ("Twelve trials.",)),),
        )
    )
