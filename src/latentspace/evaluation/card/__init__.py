"""What a run is worth: each number beside its baselines, with an interval."""
