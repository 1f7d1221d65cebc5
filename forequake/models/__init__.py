"""Models that are programs: where they come from, what they need, and one run of them."""
