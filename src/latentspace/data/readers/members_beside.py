"""What stands beside the images of an archive, in it: tables of labels, lists of parts, arrays of labels."""

from collections.abc import Sequence
from pathlib import Path

from ..config import DataConfig
from ..imageset import ImageSet
from .archives import TOTAL_LIMIT, members, tables_in
from .beside_each import files_each
from .inside import own_folder
from .lists_beside import may_tell, with_what_is_beside
from .sidecar import about, wants_tables, with_tables


def with_members(path: Path, images: ImageSet, beside: Sequence[str], config: DataConfig) -> ImageSet:
    """`images` with what other members of their archive say of them, as for a folder.

    Args:
        beside: the names of these members.

    Raises:
        DataError: the archive cannot be read, or no table has the column of labels that is asked for.
    """
    each = set(files_each(images, beside))
    if wants_tables(images, config.label):
        wanted = about(images)
        some = beside or config.label
        tables = tables_in(path, lambda name: name not in each and wanted(name)) if some else []
        images = with_tables(images, tables, config.label)
    told = {name for name in beside if may_tell(name)} | each
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
