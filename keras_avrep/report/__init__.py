"""One readable page about a run: what was learnt, from what, and how well."""

from keras_avrep.report.overview import write_overview_picture
from keras_avrep.report.page import write_report

__all__ = ["write_overview_picture", "write_report"]
