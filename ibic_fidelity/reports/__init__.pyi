from .pages import overview_report, site_report, write_reports
from .workbook import scores_workbook

__all__ = ["overview_report", "scores_workbook", "site_report", "write_reports"]
