"""Labels that are probably wrong, by confident learning over cross-validated probabilities.

Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels" (2021), by
cleanlab.
"""

from importlib.util import find_spec
from typing import Final

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, fine, skipped
from .subject import Subject

EXTRA: Final = "pip install 'latentspace[labels]'"
FILTER: Final = "both"  # cleanlab's: what both its rule by class and its rule by noise rate call wrong


class Labels:
    """Finds labels that are probably wrong."""

    title = "labels that are probably wrong"

    def find(self, subject: Subject) -> Finding:
        if subject.images.labels is None:
            return skipped("the images have no labels")
        if find_spec("cleanlab") is None:
            return skipped(f"wrong labels are found with cleanlab: {EXTRA}")
        if subject.why_no_codes:
            return skipped(subject.why_no_codes)
        validated = subject.cross_validated
        if validated is None:
            return skipped("wrong labels are found among two classes or more, of five images or more each")
        from cleanlab.filter import find_label_issues
        from cleanlab.rank import get_label_quality_scores

        given = validated.probabilities.astype(np.float64)
        wrong = find_label_issues(validated.labels, given, filter_by=FILTER, n_jobs=1)
        chosen = np.flatnonzero(wrong & (validated.predicted != validated.labels))
        if not len(chosen):
            return fine("no label is probably wrong", f"by {subject.validated_by}")
        quality = get_label_quality_scores(validated.labels, given, method="normalized_margin")
        chosen = chosen[np.argsort(quality[chosen], kind="stable")]
        names = subject.images.class_names
        said = tuple(
            f"{names[validated.classes[validated.labels[one]]]} {given[one, validated.labels[one]]:.2f}, "
            f"{names[validated.classes[validated.predicted[one]]]} {given[one, validated.predicted[one]]:.2f}"
            for one in chosen
        )
        rows = validated.rows[chosen]
        return Finding(
            "bad" if len(rows) > len(subject.images) / 100 else "look",
            f"{counted(len(rows), 'label')} probably wrong",
            f"Confident learning over {subject.validated_by}: each image was classified by a model that had "
            f"not seen it or a copy of it, and that gives {validated.accuracy:.1%} of all images their "
            "label. Below "
            "each stand the probabilities of its own label and of the likeliest. Odd images are here too.",
            "Look at the first ones, and mend them; a cleaned table keeps them, with the reason.",
            subject.cleaned,
            rows,
            said,
        )


LABELS: Finder = Labels()
