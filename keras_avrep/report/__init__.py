"""One readable page about a run: what was learnt, from what, and how well."""

from keras_avrep.report.overview import write_overview_picture
from keras_avrep.report.page import write_report
from keras_avrep.report.picture import write_picture
from keras_avrep.report.sounding_overlay import draw_sounding
from keras_avrep.report.sounding_picture import write_sounding_picture
from keras_avrep.report.unit_picture import write_unit_picture

__all__ = [
    "draw_sounding",
    "write_overview_picture",
    "write_picture",
    "write_report",
    "write_sounding_picture",
    "write_unit_picture",
]
