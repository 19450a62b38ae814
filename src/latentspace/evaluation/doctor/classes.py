"""Classes of few images, and classes of many more than others."""

from typing import Final

import numpy as np

from ...core.wording import counted
from .finding import Finder, Finding, Numbers, fine, skipped
from .subject import Subject

FEW: Final = 20  # images of a class, of which a fifth is evaluated
UNEVEN: Final = 5  # times as many images in the largest class as in the smallest
VERY: Final = 20
SHOWN: Final = 40


class Classes:
    """Finds classes of few images, and sets whose classes differ much in number."""

    title = "small and uneven classes"

    def find(self, subject: Subject) -> Finding:
        labels, names = subject.images.labels, subject.images.class_names
        if labels is None:
            return skipped("the images have no labels")
        counts = np.bincount(labels, minlength=len(names))
        least, most = int(counts.min()), int(counts.max())
        small = np.flatnonzero(counts < FEW)
        if not len(small) and most < UNEVEN * max(1, least):
            return fine("classes of about equal size", f"from {least:,} to {counted(most)}")
        order = np.argsort(counts, kind="stable")[:SHOWN]
        return Finding(
            "bad" if len(small) or most >= VERY * max(1, least) else "look",
            f"{counted(len(small), 'class')} of fewer than {FEW} images"
            if len(small)
            else f"the largest class has {most / least:.1f} times as many images as the smallest",
            f"From {least:,} to {counted(most)} a class. Accuracy is that of the large ones; of a small "
            "one it "
            "is known from a few images alone.",
            "Collect more of the small classes, or join them; look at the accuracy of each class.",
            subject.command("latentspace data info DATA"),
            tables=(
                Numbers(
                    "The smallest classes",
                    ("class", "images"),
                    tuple((names[one], f"{counts[one]:,}") for one in order),
                ),
            ),
            count=len(small) or 1,
        )


CLASSES: Finder = Classes()
