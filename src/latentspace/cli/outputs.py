"""Where a command writes what it makes: one file, known by its ending, or a folder with all of them."""

from collections.abc import Mapping
from pathlib import Path

from ..core.errors import ConfigurationError


def outputs(out: Path, files: Mapping[str, tuple[str, ...]], *, force: bool) -> dict[str, Path]:
    """What is written, and where.

    Args:
        files: the name of a file in the folder, which has the ending that is usual -> all endings by which
            it is asked for alone.

    Raises:
        ConfigurationError: another ending.
        OutputError: something is there, and may not be replaced, or nothing can be written there.
    """
    from ..core.output_files import refuse_file

    ending = out.suffix.casefold()
    if ending and not out.is_dir():
        found = {name: out for name, endings in files.items() if ending in endings}
        if not found:
            every = ", ".join(one for endings in files.values() for one in endings)
            raise ConfigurationError(
                f"--out is a folder, or a file with one of the endings {every}",
                found=out.name,
                do="name it so",
            )
    else:
        found = {name: out / name for name in files}
    for path in found.values():
        refuse_file(path, force=force)
    return found
