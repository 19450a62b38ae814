"""Trainings and searches, killed at random moments and gone on with: what must come out all the same."""
