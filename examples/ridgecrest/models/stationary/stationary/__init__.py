"""A model that learns from no earthquake of the sequence: a constant rate."""
