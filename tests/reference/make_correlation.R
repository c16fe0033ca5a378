# Makes tests/reference/correlation.json.  From the root of the repository:
#   Rscript tests/reference/make_correlation.R
# Needs lavaan, psych, polycor, semTools, jsonlite.  No network; the sparse data are seeded.
suppressPackageStartupMessages({library(lavaan); library(psych); library(polycor); library(semTools); library(jsonlite)})

bfi <- read.csv("tests/reference/data/bfi.csv")
items <- names(bfi)[1:25]
scale_of <- function(s, missing = FALSE) {
  x <- bfi[, paste0(s, 1:5)]
  if (missing) x else na.omit(x)
}
lower <- function(r) unname(unclass(r)[lower.tri(r)])

# thresholds, correlations and their covariance (NACOV over n, thresholds first) by lavaan
from_lavaan <- function(x, ordered = names(x), ...) {
  fit <- suppressWarnings(lavCor(x, ordered = ordered, output = "fit", se = "robust", ...))
  s <- fit@SampleStats; v <- s@NACOV[[1]] / s@nobs[[1]]
  r <- suppressWarnings(lavCor(x, ordered = ordered, ...))
  list(items = names(x), n = s@nobs[[1]], correlations = lower(r[names(x), names(x)]),
       thresholds = as.numeric(s@th[[1]]), threshold_index = as.integer(s@th.idx[[1]]), covariance = v)
}
small <- function(x, ...) {
  f <- from_lavaan(x, ...)
  f$covariance <- unname(lapply(seq_len(nrow(f$covariance)), function(i) f$covariance[i, ]))
  f
}
whole <- from_lavaan(na.omit(bfi[, items]))
set.seed(7)
at <- cbind(sample(425, 600, TRUE), sample(425, 600, TRUE))
whole$variances <- diag(whole$covariance)
whole$rows <- at[, 1]; whole$columns <- at[, 2]; whole$covariances <- whole$covariance[at]
whole$covariance <- NULL

# sparse: 60 respondents, skewed categories, some cells of every table empty
set.seed(20261128)
f <- rnorm(60)
latent <- sapply(c(.9, .8, .7, .6, .5), function(l) l * f + sqrt(1 - l^2) * rnorm(60))
sparse <- as.data.frame(apply(latent, 2, function(z) findInterval(z, c(-.2, .9, 1.6))))
names(sparse) <- paste0("S", 1:5)
two <- as.data.frame(apply(latent, 2, function(z) as.integer(z > .9)))[1:30, ]; names(two) <- paste0("T", 1:5)
rows <- function(x) unname(lapply(seq_len(nrow(x)), function(i) as.integer(x[i, ])))
with_data <- function(x, ...) c(list(data = rows(x)), small(x, ...))

halves <- as.data.frame(lapply(scale_of("N"), function(v) as.integer(v > 3)))
psych_r <- function(x, ...) lower(suppressWarnings(suppressMessages(psych::polychoric(x, ...)))$rho)

# continuous with ordinal: age with the items of A; lavaan's mixed matrix, and polycor's two-step estimate
mixed_data <- na.omit(bfi[, c("age", paste0("A", 1:5))])
# lavaan's search stops short of the maximum for some pairs (A2: log-likelihood -3840.620, maximum -3840.596), so that
# the maximum is found here from the formula, too
best <- function(v, y) {
  z <- (v - mean(v)) / sqrt(mean((v - mean(v))^2))
  t <- c(-Inf, qnorm(cumsum(table(y)) / length(y))); k <- as.integer(factor(y))
  l <- function(r) sum(log(pnorm((t[k + 1] - r * z) / sqrt(1 - r^2)) - pnorm((t[k] - r * z) / sqrt(1 - r^2))))
  optimize(l, c(-.9, .9), maximum = TRUE, tol = 1e-10)$maximum
}
mixed <- function(x) {
  y <- names(x)[-1]
  fit <- lavCor(x, ordered = y, output = "fit", se = "robust")
  r <- lavCor(x, ordered = y)
  one <- lapply(y, function(i) polycor::polyserial(x$age, x[[i]], std.err = TRUE))
  labels <- outer(y, "age", function(a, b) paste0(b, "~~", a))
  v <- fit@SampleStats@NACOV[[1]] / fit@SampleStats@nobs[[1]]
  list(items = y, n = nrow(x), lavaan = unname(r["age", y]),
       maximum = sapply(y, function(i) best(x$age, x[[i]]), USE.NAMES = FALSE),
       covariance = unname(lapply(seq_len(nrow(v)), function(i) v[i, ])), sd = sd(x$age) * sqrt((nrow(x) - 1) / nrow(x)),
       polycor = sapply(one, function(p) p$rho), polycor_variance = sapply(one, function(p) as.numeric(p$var)[1]))
}

# reliability from a one-factor model of the polychoric matrix
reliability_of <- function(x) {
  r <- lavCor(x, ordered = names(x))
  one <- function(estimator) {
    fit <- cfa(paste("f =~", paste(names(x), collapse = " + ")), x, ordered = names(x), std.lv = TRUE,
               estimator = estimator)
    l <- as.numeric(lavInspect(fit, "est")$lambda)
    list(loadings = l * sign(sum(l)), se = as.numeric(lavInspect(fit, "se")$lambda),
         omega = unname(c(compRelSEM(fit, obs.var = TRUE))), omega_implied = unname(c(compRelSEM(fit, obs.var = FALSE))),
         alpha = unname(c(compRelSEM(fit, tau.eq = TRUE, ord.scale = FALSE))))
  }
  list(items = names(x), n = nrow(x), DWLS = one("WLSMV"), ULS = one("ULSMV"),
       ordinal_alpha = suppressWarnings(psych::alpha(unclass(r), check.keys = FALSE))$total$raw_alpha)
}
contradictory <- matrix(c(1, .9, .9, .3, .9, 1, -.2, .2, .9, -.2, 1, .1, .3, .2, .1, 1), 4)
reversed <- function(x, r) { x[, r] <- 7 - x[, r]; x }
scales <- list(A = reversed(scale_of("A"), "A1"), C = reversed(scale_of("C"), c("C4", "C5")), N = scale_of("N"),
               N_halves = halves, three = scale_of("N")[, 1:3])

out <- list(meta = list(
    R = paste(R.version$major, R.version$minor, sep = "."),
    packages = lapply(c(lavaan = "lavaan", psych = "psych", polycor = "polycor", semTools = "semTools",
                        jsonlite = "jsonlite"), function(p) as.character(packageVersion(p))),
    call = "Rscript tests/reference/make_correlation.R",
    data = list(bfi = "tests/reference/data/bfi.csv (psychTools, GPL >= 2)", sparse = "seeded, in the fixture"),
    source = paste("lavaan::lavCor and its NACOV, psych::polychoric and tetrachoric, polycor::polychor and polyserial,",
                   "semTools::compRelSEM, psych::alpha and cor.smooth")),
  bfi = whole,
  N = small(scale_of("N")),
  N_pairwise = c(small(scale_of("N", TRUE), missing = "pairwise"), list(
    psych = psych_r(scale_of("N", TRUE), global = TRUE, correct = 0),
    pairs = lower(psych::pairwiseCount(scale_of("N", TRUE))))),
  two_step = list(items = c("N1", "N2"), polycor = polycor::polychor(scale_of("N")$N1, scale_of("N")$N2)),
  sparse = with_data(sparse),
  sparse_adjusted = small(sparse, zero.add = c(.5, .5)),
  two = with_data(two),
  two_unadjusted = small(two[, 3:5], zero.add = c(0, 0)),
  halves = c(small(halves), list(psych = lower(psych::tetrachoric(halves, correct = 0)$rho))),
  mixed = mixed(mixed_data),
  smooth = list(matrix = contradictory, psych = unclass(suppressWarnings(psych::cor.smooth(contradictory)))),
  reliability = lapply(scales, reliability_of))
write(toJSON(out, digits = NA, auto_unbox = TRUE, na = "null"), "tests/reference/correlation.json")
