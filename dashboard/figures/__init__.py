"""Figures as functions: records in, plotly figures out."""
