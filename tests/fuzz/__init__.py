"""Damaged and hostile inputs for every reader: each either loads or ends in an error of our own."""
