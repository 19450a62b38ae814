"""The report: one self-contained HTML page."""

from .page import Page, Picture, Section, Table, render

__all__ = ["Page", "Picture", "Section", "Table", "render"]
