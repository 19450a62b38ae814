"""Pairs of classes that are taken for each other."""

from typing import Final

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, Numbers, fine, skipped
from .subject import Subject

MIXED: Final = 0.1  # of the images of two classes are taken for the other one
SHOWN: Final = 20  # pairs, and images of each


class Overlap:
    """Finds pairs of classes that a classifier confuses."""

    title = "classes that overlap"

    def find(self, subject: Subject) -> Finding:
        if subject.images.labels is None:
            return skipped("the images have no labels")
        if subject.why_no_codes:
            return skipped(subject.why_no_codes)
        validated = subject.cross_validated
        if validated is None:
            return skipped("there are not two classes of five images or more")
        from sklearn.metrics import confusion_matrix

        every = np.arange(len(validated.classes))
        table = confusion_matrix(validated.labels, validated.predicted, labels=every)
        both = table + table.T
        held = table.sum(axis=1)
        share = both / np.maximum(held[:, None] + held[None, :], 1)
        one, other = np.nonzero(np.triu(share >= MIXED, k=1))
        if not len(one):
            return fine(
                "no two classes overlap", f"{validated.accuracy:.1%} told right, by {subject.validated_by}"
            )
        order = np.argsort(-share[one, other], kind="stable")[:SHOWN]
        names = [subject.images.class_names[number] for number in validated.classes]
        lines, chosen = [], []
        for a, b in zip(one[order].tolist(), other[order].tolist(), strict=True):
            lines.append((f"{names[a]} and {names[b]}", f"{both[a, b]:,}", f"{share[a, b]:.1%}"))
            torn = ((validated.labels == a) & (validated.predicted == b)) | (
                (validated.labels == b) & (validated.predicted == a)
            )
            chosen.append(np.flatnonzero(torn)[:SHOWN])
        shown = np.concatenate(chosen)
        return Finding(
            "look",
            counted(len(one), "pair") + " of classes overlap",
            f"At least {MIXED:.0%} of the images of both are taken for the other, by a cross-validated "
            "classifier "
            f"on {subject.validated_by}.",
            "Look whether the two can be told apart at this size, or are one class.",
            subject.command("latentspace data info DATA"),
            validated.rows[shown],
            tuple(
                f"{names[validated.labels[row]]}, taken for {names[validated.predicted[row]]}"
                for row in shown
            ),
            examples=True,
            tables=(Numbers("Classes that overlap", ("classes", "images", "share"), tuple(lines)),),
            count=len(one),
        )


OVERLAP: Finder = Overlap()
