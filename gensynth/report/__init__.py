"""What people look at: drawings, the front, the report, the dashboard."""

from gensynth.report.drawing import draw
from gensynth.report.evaluation import draw_evaluation, write_evaluation
from gensynth.report.front import draw_front, figure_format, front_of, write_front
from gensynth.report.page import write_report
from gensynth.report.shapes import Picture

__all__ = [
    "Picture",
    "draw",
    "draw_evaluation",
    "draw_front",
    "figure_format",
    "front_of",
    "write_evaluation",
    "write_front",
    "write_report",
]
