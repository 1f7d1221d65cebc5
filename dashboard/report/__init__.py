"""Reports: an experiment's figures, tables and rules as one file that needs no server."""

from dashboard.report.material import Choice
from dashboard.report.write import Form, check_place, form_of, report_file, write_report

__all__ = ["Choice", "Form", "check_place", "form_of", "report_file", "write_report"]
