"""Files that should have been images, and cannot be read."""

from ...core.wording import counted
from .finding import Finder, Finding, Numbers, fine
from .subject import Subject

SHOWN = 100  # files that are named


class Unreadable:
    """Finds files that cannot be read as images."""

    title = "unreadable files"

    def find(self, subject: Subject) -> Finding:
        found = subject.images.record.unreadable
        if not found:
            return fine("every file could be read")
        rows = tuple((one.name, one.reason) for one in found[:SHOWN])
        more = f" The first {SHOWN} are named." if len(found) > SHOWN else ""
        return Finding(
            "bad",
            f"{counted(len(found), 'file')} cannot be read",
            f"They are left out of everything else here, and of trainings.{more}",
            "Fetch them again, or delete them.",
            subject.command("latentspace data info DATA --list unreadable"),
            tables=(Numbers("Unreadable files", ("file", "reason"), rows),),
            count=len(found),
        )


UNREADABLE: Finder = Unreadable()
