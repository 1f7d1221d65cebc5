"""Two models that learn from the earthquakes before a window: Reasenberg and Jones's law, and a running mean."""
