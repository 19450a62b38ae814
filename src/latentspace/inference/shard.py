"""A share of a set of images, for one of several machines."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..core.errors import ConfigurationError
from ..core.types import Int64Array
from ..core.wording import counted, option


@dataclass(frozen=True)
class Shard:
    """One of `of` equal shares of a set, counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """`2/4` -> the second of four. Raises: ConfigurationError: another form."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise ConfigurationError(
                "a shard is NUMBER/OF, counted from 1",
                found=repr(text),
                do=f"write for example {option('shard', '1/4')}",
            )
        return cls(int(number), int(of))

    def rows(self, count: int) -> Int64Array:
        """Its rows of a set of `count` images, which lie together.

        Raises:
            ConfigurationError: there are fewer images than shares.
        """
        if count < self.of:
            raise ConfigurationError(
                "each share of a set has at least one image",
                found=f"{option('shard', f'{self.number}/{self.of}')} of {counted(count)}",
                do=f"name {counted(count, 'share')} or fewer",
            )
        return np.arange(count * (self.number - 1) // self.of, count * self.number // self.of)


WHOLE: Final = Shard()
