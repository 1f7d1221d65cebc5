"""Built-in references: forecasts that need no file.

`uniform` needs the configuration alone. `learned` has those that learn from past events (`past`), which are
spread over cells (`smoothing`) and magnitude bins (`shares`).
"""
