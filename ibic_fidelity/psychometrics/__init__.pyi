from .agreement.drift import RaterDrift, rater_drift
from .agreement.krippendorff import krippendorff_alpha
from .agreement.many_raters import brennan_prediger, conger_kappa, fleiss_kappa, gwet_ac
from .agreement.result import AgreementCoefficient
from .agreement.severity import RaterSeverity, rater_severity
from .agreement.single_rater_results import RaterAgreement, RaterCertification
from .agreement.single_raters import certify_raters, leave_one_out_agreement
from .agreement.two_raters import cohen_kappa, percent_agreement, scott_pi
from .consistency.alpha_result import CronbachAlpha
from .consistency.composites import StratifiedAlpha, stratified_alpha
from .consistency.factor_reliability import mcdonald_omega
from .consistency.guttman import GuttmanLambda, guttman_lambda
from .consistency.internal_consistency import cronbach_alpha
from .consistency.items import ItemAnalysis, item_analysis
from .consistency.omega_result import McDonaldOmega
from .consistency.ordinal import categorical_omega, ordinal_alpha
from .consistency.ordinal_results import CategoricalOmega, OrdinalAlpha
from .consistency.two_items import SpearmanBrown, spearman_brown
from .content_validity.aiken import AikenV, aiken_v
from .content_validity.index import ContentValidityIndex, content_validity_index
from .content_validity.ratio import ContentValidityRatio, content_validity_ratio
from .correlation.polychoric import polychoric_correlation, tetrachoric_correlation
from .correlation.polyserial import PolyserialCorrelation, polyserial_correlation
from .correlation.result import PolychoricCorrelation
from .exploratory.adequacy import BartlettSphericity, SamplingAdequacy, bartlett_sphericity, sampling_adequacy
from .exploratory.factor_analysis import exploratory_factor_analysis
from .exploratory.factor_result import FactorAnalysis
from .exploratory.hierarchical import hierarchical_omega
from .exploratory.hierarchical_result import HierarchicalOmega, SchmidLeiman
from .exploratory.parallel import ParallelAnalysis, parallel_analysis
from .exploratory.partials import MinimumAveragePartial, minimum_average_partial
from .exploratory.schmid import schmid_leiman
from .exploratory.scoring_factors import FactorScores, factor_scores
from .generalizability.components import VarianceComponents
from .generalizability.composite import CompositeGeneralizability, composite_generalizability
from .generalizability.decision_results import DecisionStudy, NeededConditions
from .generalizability.decisions import decision_study
from .generalizability.design import Design, parse_design
from .generalizability.levels import MultilevelAlpha, multilevel_alpha
from .generalizability.precision import generalizability_study
from .generalizability.studies import variance_components
from .generalizability.study_results import GeneralizabilityStudy, WayOfWorking
from .intraclass.agreement_limits import LimitsOfAgreement, limits_of_agreement
from .intraclass.group_result import GroupMeanReliability
from .intraclass.groups import group_mean_reliability
from .intraclass.measurement_error import (
    SmallestDetectableChange,
    StandardErrorOfMeasurement,
    smallest_detectable_change,
    standard_error_of_measurement,
)
from .intraclass.rater_result import IntraclassCorrelation
from .intraclass.raters import intraclass_correlation
from .standards.angoff import ModifiedAngoff, modified_angoff
from .standards.classification import ClassificationAccuracy, classification_accuracy
from .standards.contrasting import ContrastingGroups, contrasting_groups
from .standards.roc import ReceiverOperatingCharacteristic, receiver_operating_characteristic
from .within_group import within_group_agreement
from .within_group_result import GroupIndex, WithinGroupAgreement

__all__ = [
    "AgreementCoefficient",
    "AikenV",
    "BartlettSphericity",
    "CategoricalOmega",
    "ClassificationAccuracy",
    "CompositeGeneralizability",
    "ContentValidityIndex",
    "ContentValidityRatio",
    "ContrastingGroups",
    "CronbachAlpha",
    "DecisionStudy",
    "Design",
    "FactorAnalysis",
    "FactorScores",
    "GeneralizabilityStudy",
    "GroupIndex",
    "GroupMeanReliability",
    "GuttmanLambda",
    "HierarchicalOmega",
    "IntraclassCorrelation",
    "ItemAnalysis",
    "LimitsOfAgreement",
    "McDonaldOmega",
    "MinimumAveragePartial",
    "ModifiedAngoff",
    "MultilevelAlpha",
    "NeededConditions",
    "OrdinalAlpha",
    "ParallelAnalysis",
    "PolychoricCorrelation",
    "PolyserialCorrelation",
    "RaterAgreement",
    "RaterCertification",
    "RaterDrift",
    "RaterSeverity",
    "ReceiverOperatingCharacteristic",
    "SamplingAdequacy",
    "SchmidLeiman",
    "SmallestDetectableChange",
    "SpearmanBrown",
    "StandardErrorOfMeasurement",
    "StratifiedAlpha",
    "VarianceComponents",
    "WayOfWorking",
    "WithinGroupAgreement",
    "aiken_v",
    "bartlett_sphericity",
    "brennan_prediger",
    "categorical_omega",
    "certify_raters",
    "classification_accuracy",
    "cohen_kappa",
    "composite_generalizability",
    "conger_kappa",
    "content_validity_index",
    "content_validity_ratio",
    "contrasting_groups",
    "cronbach_alpha",
    "decision_study",
    "exploratory_factor_analysis",
    "factor_scores",
    "fleiss_kappa",
    "generalizability_study",
    "group_mean_reliability",
    "guttman_lambda",
    "gwet_ac",
    "hierarchical_omega",
    "intraclass_correlation",
    "item_analysis",
    "krippendorff_alpha",
    "leave_one_out_agreement",
    "limits_of_agreement",
    "mcdonald_omega",
    "minimum_average_partial",
    "modified_angoff",
    "multilevel_alpha",
    "ordinal_alpha",
    "parallel_analysis",
    "parse_design",
    "percent_agreement",
    "polychoric_correlation",
    "polyserial_correlation",
    "rater_drift",
    "rater_severity",
    "receiver_operating_characteristic",
    "sampling_adequacy",
    "schmid_leiman",
    "scott_pi",
    "smallest_detectable_change",
    "spearman_brown",
    "standard_error_of_measurement",
    "stratified_alpha",
    "tetrachoric_correlation",
    "variance_components",
    "within_group_agreement",
]
