from .comparison import comparison_report, comparison_workbook
from .pages import overview_report, site_report, write_reports, write_site_reports
from .precision import precision_report
from .statistics import statistics_report
from .statistics_sheets import statistics_workbook
from .workbook import scores_workbook

__all__ = [
    "comparison_report",
    "comparison_workbook",
    "overview_report",
    "precision_report",
    "scores_workbook",
    "site_report",
    "statistics_report",
    "statistics_workbook",
    "write_reports",
    "write_site_reports",
]
