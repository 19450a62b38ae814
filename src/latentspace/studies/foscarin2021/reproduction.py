"""The report's studies in order, from one recipe: skip what is done, go on with what was interrupted.

Below the place of a reproduction lie the runs ae, dae, classifier, classifier-report (the same, trained
through the Softmax as the report did), vae, and ae-code-2 and ae-code-32, which are the plain autoencoder
with other code sizes; the studies search-ae, search-dae, search-classifier and search-vae, as far as the
recipe has a search for them; then report.html and its figures/. The trainings have the recipe's
parameters, not the searches' winners.
"""

import logging
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ...analysis import RunContext, analyse, analyse_growth
from ...core.config import merged
from ...core.errors import RunError
from ...data.imageset import ImageSet
from ...data.sources import load_images
from ...experiment.config import Experiment
from ...experiment.recipe import Recipe
from ...report.page import Section
from ...report.run.page import run_page
from ...report.run.sections import data_section, section_of
from ...report.run.write import write_page, write_run_page
from ...report.search.page import search_section, write_study
from ...runs.directory import Run
from ...search.request import SearchRequest
from ...training.components import require_classes
from ..pipeline import SearchStep, Step, TrainingStep
from .page import Studies, whole_page
from .published import REPORT

logger = logging.getLogger(__name__)

KINDS = ("ae", "dae", "classifier", "vae")  # the tasks, in the report's order
CODE_SIZES = (2, 32)  # of the plain autoencoders beside the report's own


class Reproduction:
    """One recipe at one place.

    Args:
        recipe: what to train.
        out: a folder; each study's run lies below it under its name.
        changes: laid over every study's plan, as in config.json.
    """

    def __init__(self, recipe: Recipe, out: Path, changes: Mapping[str, Any]) -> None:
        self.recipe = recipe
        self.out = out
        self.changes = changes

    @property
    def steps(self) -> tuple[TrainingStep | SearchStep, ...]:
        """The steps in the order in which they must be done: the classifiers need the autoencoder."""
        others = tuple(size for size in CODE_SIZES if size != self._code_size)
        return (
            self._training("ae", "ae", {}),
            *self._search("ae"),
            self._training("dae", "dae", {}),
            *self._search("dae"),
            self._training("classifier", "classifier", self._on_the_autoencoder("cross-entropy")),
            self._training("classifier-report", "classifier", self._on_the_autoencoder("report")),
            *self._search("classifier", {"encoder": self._encoder}),
            self._training("vae", "vae", {}),
            *self._search("vae"),
            *(self._training(f"ae-code-{size}", "ae", {"model": {"code_size": size}}) for size in others),
        )

    def page(self) -> Path:
        """Evaluate every run, write its own page, and the one page that shows all of them; return its path.

        Raises:
            RunError: a step is not done.
        """
        images = load_images(Run.open(self.out / "ae").experiment.data)
        opened, searches = {}, []
        for step in self.steps:
            self._require(step, images)
            if isinstance(step, SearchStep):
                searches.append(self._searched(step))
            else:
                logger.info("evaluating %s", step.place)
                opened[step.place.name] = RunContext.of(Run.open(step.place), images, self._device)
        ae = opened["ae"]
        every = {kind: analyse(opened.pop(kind), beside=ae.run) for kind in KINDS}
        sections = tuple(section_of(shown, REPORT) for shown in every.values())
        for shown, section in zip(every.values(), sections, strict=True):
            page = run_page(shown, REPORT, agreement=shown.context.agreement, section=section)
            write_run_page(page, shown.context.run)
        if not ae.run.data.comparable:
            logger.warning("made from %s: no figure can be compared with the report's", ae.run.data.source)
        studies = Studies(
            description=self.recipe.description,
            **every,
            reported=opened.pop("classifier-report"),
            growth=analyse_growth((ae, *opened.values())),
            data=data_section(ae, REPORT),
            sections=sections,
            searches=tuple(searches),
        )
        return write_page(whole_page(studies), self.out)

    def images(self) -> ImageSet:
        """What the studies learn from; reading them may fetch or render them.

        Raises:
            DataError: images that cannot be read, or without the classes that a classifier needs.
        """
        images = load_images(self.recipe.experiment("ae", self.changes).data)
        require_classes(images)
        return images

    def _training(self, name: str, kind: str, more: Mapping[str, Any]) -> TrainingStep:
        plan = partial(self._plan, kind, more)
        return TrainingStep(name, self.out / name, self._code_size, plan, for_classifier=name == "ae")

    def _search(self, kind: str, more: Mapping[str, Any] | None = None) -> Iterator[SearchStep]:
        """The kind's search, if the recipe has one."""
        if self.recipe.study(kind).search is not None:
            name = f"search-{kind}"
            yield SearchStep(name, self.out / name, self._code_size, partial(self._request, kind, more or {}))

    def _request(self, kind: str, more: Mapping[str, Any]) -> SearchRequest:
        settled = {"data": {"spec": self._plan(kind, {}).data.spec}}
        return SearchRequest(kind, self.recipe, merged(merged(self.changes, settled), more))

    @property
    def _code_size(self) -> int:
        """The code size of the classifiers' encoder."""
        return int(self.recipe.experiment("ae", self.changes).model_dump()["model"]["code_size"])

    def _plan(self, kind: str, more: Mapping[str, Any]) -> Experiment:
        """On the images that the first study settled for, whatever `auto` would find now."""
        plan = self.recipe.experiment(kind, merged(self.changes, more))
        first = self.out / "ae"
        if plan.data.spec != "auto" or not Run.exists(first):
            return plan
        settled = Run.open(first).experiment.data.spec
        return plan.model_copy(update={"data": plan.data.model_copy(update={"spec": settled})})

    @property
    def _device(self) -> str:
        return self.recipe.experiment("ae", self.changes).device

    @property
    def _encoder(self) -> str:
        return str((self.out / "ae").resolve())

    def _on_the_autoencoder(self, loss: str) -> dict[str, Any]:
        return {"encoder": self._encoder, "objective": {"loss": loss}}

    def _require(self, step: Step, images: ImageSet) -> None:
        if step.is_done and step.content_hash == images.content_hash:
            return
        raise RunError(
            f"every study of {self.out} must be done, on the same images",
            found=f"{step.place} is not",
            do="run latentspace reproduce again: it goes on where it was",
        )

    def _searched(self, step: SearchStep) -> Section:
        """Write the study's own page, and take from it what the page of all shows."""
        logger.info("drawing the search %s", step.place)
        record, page = write_study(step.place)
        return search_section(record, page, f"{step.place.name}/report.html", REPORT)
