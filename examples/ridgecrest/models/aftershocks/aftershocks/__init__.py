"""Two models that learn from the earthquakes before a window: an aftershock law, and a running mean."""
