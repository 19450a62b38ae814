"""What a run is worth: each number beside what it must beat, with an interval."""
