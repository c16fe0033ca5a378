from .internal_consistency import CronbachAlpha, cronbach_alpha
from .intraclass import GroupMeanReliability, group_mean_reliability
from .items import ItemAnalysis, item_analysis
from .within_group import GroupIndex, WithinGroupAgreement, within_group_agreement

__all__ = [
    "CronbachAlpha",
    "GroupIndex",
    "GroupMeanReliability",
    "ItemAnalysis",
    "WithinGroupAgreement",
    "cronbach_alpha",
    "group_mean_reliability",
    "item_analysis",
    "within_group_agreement",
]
