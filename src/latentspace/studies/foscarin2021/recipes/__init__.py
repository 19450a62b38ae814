"""The recipes of the report: at its own size, and for a first look."""

from importlib.resources import files

HOMEWORK = files(__name__) / "homework.toml"
QUICK = files(__name__) / "quick.toml"
