"""Agreement of raters: percent agreement, the kappa family, Krippendorff's alpha, and single raters."""
