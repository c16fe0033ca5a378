from .agreement.drift import RaterDrift, rater_drift
from .agreement.krippendorff import krippendorff_alpha
from .agreement.many_raters import brennan_prediger, conger_kappa, fleiss_kappa, gwet_ac
from .agreement.result import AgreementCoefficient
from .agreement.severity import RaterSeverity, rater_severity
from .agreement.single_rater_results import RaterAgreement, RaterCertification
from .agreement.single_raters import certify_raters, leave_one_out_agreement
from .agreement.two_raters import cohen_kappa, percent_agreement, scott_pi
from .consistency.composites import StratifiedAlpha, stratified_alpha
from .consistency.factor_reliability import McDonaldOmega, mcdonald_omega
from .consistency.guttman import GuttmanLambda, guttman_lambda
from .consistency.internal_consistency import CronbachAlpha, cronbach_alpha
from .consistency.items import ItemAnalysis, item_analysis
from .consistency.two_items import SpearmanBrown, spearman_brown
from .intraclass.agreement_limits import LimitsOfAgreement, limits_of_agreement
from .intraclass.groups import GroupMeanReliability, group_mean_reliability
from .intraclass.measurement_error import (
    SmallestDetectableChange,
    StandardErrorOfMeasurement,
    smallest_detectable_change,
    standard_error_of_measurement,
)
from .intraclass.raters import IntraclassCorrelation, intraclass_correlation
from .within_group import GroupIndex, WithinGroupAgreement, within_group_agreement

__all__ = [
    "AgreementCoefficient",
    "CronbachAlpha",
    "GroupIndex",
    "GroupMeanReliability",
    "GuttmanLambda",
    "IntraclassCorrelation",
    "ItemAnalysis",
    "LimitsOfAgreement",
    "McDonaldOmega",
    "RaterAgreement",
    "RaterCertification",
    "RaterDrift",
    "RaterSeverity",
    "SmallestDetectableChange",
    "SpearmanBrown",
    "StandardErrorOfMeasurement",
    "StratifiedAlpha",
    "WithinGroupAgreement",
    "brennan_prediger",
    "certify_raters",
    "cohen_kappa",
    "conger_kappa",
    "cronbach_alpha",
    "fleiss_kappa",
    "group_mean_reliability",
    "guttman_lambda",
    "gwet_ac",
    "intraclass_correlation",
    "item_analysis",
    "krippendorff_alpha",
    "leave_one_out_agreement",
    "limits_of_agreement",
    "mcdonald_omega",
    "percent_agreement",
    "rater_drift",
    "rater_severity",
    "scott_pi",
    "smallest_detectable_change",
    "spearman_brown",
    "standard_error_of_measurement",
    "stratified_alpha",
    "within_group_agreement",
]
