"""Pages: one self-contained HTML document of a run or of a search."""
