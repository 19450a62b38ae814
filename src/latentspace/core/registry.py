"""Registry: the members of one family (models, objectives, metrics, ...) by name.

The members that come with the package are written as `module:attribute` and imported on first use, so that
listing their names needs neither PyTorch nor NumPy. Others join from outside: see `plugins`.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from typing import Any, Generic, TypeVar, cast, final

from .errors import ConfigurationError
from .plugins import load_plugins
from .wording import brief

Member = TypeVar("Member")


@final
class Registry(Mapping[str, Member], Generic[Member]):
    """A mapping from names to members, in the order in which they were added.

    Args:
        family: what a member is called in an error: "model", "objective".
        builtin: `module:attribute` of each member that comes with the package.
    """

    def __init__(self, family: str, builtin: Mapping[str, str]) -> None:
        self.family = family
        self._places = dict(builtin)
        self._members: dict[str, Member] = {}

    def add(self, name: str, member: Member) -> Member:
        """Add a member from outside the package.

        Raises:
            ConfigurationError: another member has this name.
        """
        if name in self._places or self._members.get(name, member) is not member:
            raise ConfigurationError(
                f"each {self.family} has a name of its own",
                found=f"a second {self.family} {name!r}",
                do="give it another name",
            )
        self._members[name] = member
        return member

    def require(self, name: object) -> str:
        """The name of a member.

        Raises:
            ConfigurationError: there is no such member.
        """
        if not isinstance(name, str) or name not in self:
            raise ConfigurationError(
                f"the {self.family} must be a known one",
                found=brief(name),
                do=f"{near(name, self)}name one of: {', '.join(self)}",
            )
        return name

    def __getitem__(self, name: str) -> Member:
        """The member with this name, imported on first use.

        Raises:
            ConfigurationError: there is no such member.
        """
        if name not in self._members:
            self.require(name)
        if name not in self._members:
            module, _, attribute = self._places[name].partition(":")
            self._members[name] = cast("Member", getattr(import_module(module), attribute))
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        load_plugins()
        return iter({**dict.fromkeys(self._places), **dict.fromkeys(self._members)})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in set(self)

    def name_of(self, member: Member) -> str:
        """The name of a member.

        Raises:
            LookupError: it was never added.
        """
        for name in self:
            if self[name] is member:
                return name
        raise LookupError(f"{member!r} is no registered {self.family}")


def near(name: object, known: Collection[str]) -> str:
    """`did you mean 'x'? `, or nothing where no known name is like `name`."""
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def known(registry: Registry[Any], name: str) -> str:
    """A registered name, for a field's validator.

    Raises:
        ValueError: there is no such member.
    """
    if name not in registry:
        raise ValueError(f"{near(name, registry)}name one of: {', '.join(registry)}")
    return name
