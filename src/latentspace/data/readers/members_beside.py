"""What stands beside the images of an archive, in it: tables of labels, lists of parts, arrays of labels."""

from collections.abc import Sequence
from pathlib import Path

from ..config import DataConfig
from ..imageset import ImageSet
from .archives import TOTAL_LIMIT, members, tables_in
from .inside import own_folder
from .lists_beside import may_tell, texts_of, with_what_is_beside
from .sidecar import about, wants_tables, with_tables


def with_members(path: Path, images: ImageSet, beside: Sequence[str], config: DataConfig) -> ImageSet:
    """`images` with what other members of their archive say of them, as for a folder.

    Args:
        beside: the names of these members.

    Raises:
        DataError: the archive cannot be read, or no table has the column of labels that is asked for.
    """
    if wants_tables(images, config.label):
        tables = tables_in(path, about(images)) if beside or config.label else []
        images = with_tables(images, tables, config.label)
    told = {name for name in beside if may_tell(name)} | set(texts_of(images, beside))
    if not told:
        return images
    with own_folder() as place:
        for member in members(path, TOTAL_LIMIT):
            if member.name in told:
                target = place / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as file:
                    member.copy_to(file)
        return with_what_is_beside(images, place, sorted(told), config)[0]
