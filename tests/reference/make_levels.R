# Makes tests/reference/levels.json.  From the root of the repository:
#   Rscript tests/reference/make_levels.R
# Needs jsonlite, psych.  Covariances of items within and between groups from the sums of squares and products of
# manova, alpha of each by psych::alpha (of a covariance matrix), ICC(2) from the analysis of variance of the mean.
suppressPackageStartupMessages({library(jsonlite); library(psych)})

of <- function(x, g) {
  g <- factor(g)
  n <- nrow(x); j <- nlevels(g); sizes <- as.numeric(table(g))
  ss <- summary(manova(as.matrix(x) ~ g))$SS
  within <- ss$Residuals / (n - j)
  between <- ss$g / (j - 1)
  size <- (n - sum(sizes^2) / n) / (j - 1)
  covariance <- (between - within) / size
  raw <- function(s) suppressWarnings(alpha(s, check.keys = FALSE)$total$raw_alpha)
  ms <- summary(aov(rowMeans(x) ~ g))[[1]][["Mean Sq"]]
  list(n = n, groups = j, size = size, within = unname(within), between = unname(covariance),
       alpha_within = raw(within), alpha_between = raw(covariance), icc2 = (ms[1] - ms[2]) / ms[1])
}

d <- read.csv("instruments/lq2002/lq2002.csv")
scales <- c("LEAD", "TSIG", "HOSTIL")
made <- lapply(setNames(scales, scales), function(s) of(d[, grep(paste0("^", s), names(d))], d$COMPID))
meta <- list(R = R.version.string, packages = list(psych = as.character(packageVersion("psych"))), call = "summary(manova(x ~ g))$SS; alpha(S)",
             data = "lq2002 of R multilevel, instruments/lq2002/lq2002.csv")
writeLines(toJSON(list(meta = meta, lq2002 = made), digits = 15, auto_unbox = TRUE, pretty = TRUE),
           "tests/reference/levels.json")
