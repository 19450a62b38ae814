"""The registry of finders: another finding is a file and a line here."""

from ...core.registry import Registry
from .finding import Finder

_HERE = __name__.rpartition(".")[0]

FINDERS: Registry[Finder] = Registry(
    "finding",
    {
        "unreadable": f"{_HERE}.unreadable:UNREADABLE",
        "blank": f"{_HERE}.blank:BLANK",
        "dark": f"{_HERE}.brightness:DARK",
        "bright": f"{_HERE}.brightness:BRIGHT",
        "contrast": f"{_HERE}.brightness:LOW_CONTRAST",
        "blurred": f"{_HERE}.blurred:BLURRED",
        "sizes": f"{_HERE}.sizes:SIZES",
        "colour": f"{_HERE}.colour:COLOUR",
        "copies": f"{_HERE}.copies:COPIES",
        "near-copies": f"{_HERE}.copies:NEAR_COPIES",
        "conflicts": f"{_HERE}.conflicts:CONFLICTS",
        "leaks": f"{_HERE}.leaks:LEAKS",
        "groups": f"{_HERE}.groups:GROUPS",
        "labels": f"{_HERE}.labels:LABELS",
        "outliers": f"{_HERE}.outliers:OUTLIERS",
        "shortcuts": f"{_HERE}.shortcuts:SHORTCUTS",
        "classes": f"{_HERE}.classes:CLASSES",
        "overlap": f"{_HERE}.overlap:OVERLAP",
        "drift": f"{_HERE}.drift:DRIFT",
    },
)
