"""Text without what a terminal, a log or a page would take for more than text."""

import re
from typing import Final

# Control characters, line and paragraph separators, what turns the direction of writing, and surrogates.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    r"""`text` on one line, with escapes such as `\x1b` and `\n` for what cannot be printed as it is."""
    return _UNPRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    if "\udc80" <= found[0] <= "\udcff":  # a byte of a file's name that is not UTF-8
        return f"\\x{ord(found[0]) - 0xDC00:02x}"
    return found[0].encode("unicode_escape").decode()
