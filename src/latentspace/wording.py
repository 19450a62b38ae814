"""What messages, captions and tables say in the same words; above all, how many there are."""

from typing import Final

# Of a classifier that is validated, on an encoder with training.fit = "train+validation".
SEEN_BY_ENCODER: Final = (
    "The encoder has learned from the validation images too, without their labels, so validation scores may "
    "be better than those of images that it has not seen. Neither has learned from the test images."
)


def counted(count: int, thing: str = "image") -> str:
    """`1 image`, `1,000 images`, `2 classes`, `3 exact copies`."""
    return f"{count:,} {thing if count == 1 else plural(thing)}"


def plural(thing: str) -> str:
    """Of a regular English noun, perhaps with words before it."""
    if thing.endswith(("s", "x", "ch", "sh")) and not thing.endswith("epoch"):
        return f"{thing}es"
    if thing.endswith("y") and thing[-2:-1] not in "aeiou":
        return f"{thing[:-1]}ies"
    return f"{thing}s"
