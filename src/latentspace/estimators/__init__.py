"""Scikit-learn estimators over the networks and the training loop of this package."""
