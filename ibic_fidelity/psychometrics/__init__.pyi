from .agreement.krippendorff import krippendorff_alpha
from .agreement.many_raters import brennan_prediger, conger_kappa, fleiss_kappa, gwet_ac
from .agreement.result import AgreementCoefficient
from .agreement.two_raters import cohen_kappa, percent_agreement, scott_pi
from .internal_consistency import CronbachAlpha, cronbach_alpha
from .intraclass import GroupMeanReliability, group_mean_reliability
from .items import ItemAnalysis, item_analysis
from .measurement_error import (
    LimitsOfAgreement,
    SmallestDetectableChange,
    StandardErrorOfMeasurement,
    limits_of_agreement,
    smallest_detectable_change,
    standard_error_of_measurement,
)
from .rater_intraclass import IntraclassCorrelation, intraclass_correlation
from .within_group import GroupIndex, WithinGroupAgreement, within_group_agreement

__all__ = [
    "AgreementCoefficient",
    "CronbachAlpha",
    "GroupIndex",
    "GroupMeanReliability",
    "IntraclassCorrelation",
    "ItemAnalysis",
    "LimitsOfAgreement",
    "SmallestDetectableChange",
    "StandardErrorOfMeasurement",
    "WithinGroupAgreement",
    "brennan_prediger",
    "cohen_kappa",
    "conger_kappa",
    "cronbach_alpha",
    "fleiss_kappa",
    "group_mean_reliability",
    "gwet_ac",
    "intraclass_correlation",
    "item_analysis",
    "krippendorff_alpha",
    "limits_of_agreement",
    "percent_agreement",
    "scott_pi",
    "smallest_detectable_change",
    "standard_error_of_measurement",
    "within_group_agreement",
]
