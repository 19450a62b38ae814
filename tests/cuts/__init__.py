"""Every single file operation of a small piece of work, failed in turn: what must come out all the same."""
