"""What a drawn figure shows, for the tests that look at one."""

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure


def legend(figure: Figure) -> list[str]:
    """The words of its first legend."""
    return [text.get_text() for text in figure.legends[0].get_texts()]


def dots(figure: Figure, panel: int = 0) -> list[list[float]]:
    """The places of all dots of a panel."""
    return [
        point
        for one in figure.axes[panel].collections
        if isinstance(one, PathCollection)
        for point in np.asarray(one.get_offsets()).tolist()
    ]
