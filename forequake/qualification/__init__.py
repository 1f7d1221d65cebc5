"""Whether a model's program can enter an experiment: it is built, run, and its forecasts are compared."""

from forequake.qualification.folders import subject_of_folder
from forequake.qualification.outcome import Check, Cost, Qualification, Verdict
from forequake.qualification.proposals import FolderOptions
from forequake.qualification.qualify import qualify
from forequake.qualification.simulated import simulated_catalog
from forequake.qualification.subject import Subject, subject_of_experiment

__all__ = [
    "Check",
    "Cost",
    "FolderOptions",
    "Qualification",
    "Subject",
    "Verdict",
    "qualify",
    "simulated_catalog",
    "subject_of_experiment",
    "subject_of_folder",
]
