# Makes tests/reference/variance_components.json, tests/reference/data/penicillin.csv and tests/reference/data/pastes.csv.
# From the root of the repository:
#   Rscript tests/reference/make_variance_components.R
# Needs lme4, jsonlite.  No network.  Data are those of lme4; InstEval (73,421 rows) is not stored, only its results.
# The limits from profiles of the restricted likelihood are worked out here from lmer's deviance function, since
# confint() profiles the likelihood that is not restricted; those of InstEval by confint() took 435 seconds and stand
# here as they were printed.
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
control <- lmerControl(optimizer = "bobyqa", calc.derivs = FALSE, optCtrl = list(rhoend = 1e-9, maxfun = 1e5))

surface <- function(formula, d, n, p) {
  devfun <- lmer(formula, d, REML = TRUE, control = control, devFunOnly = TRUE)
  function(v) {                                                # variances of the factors, then of the residual
    k <- length(v); theta <- sqrt(v[-k] / v[k]); d <- devfun(theta); e <- environment(devfun)
    found <- (e$resp$wrss() + e$pp$sqrL(1)) / (n - p)
    d + (n - p) * (log(v[k] / found) + found / v[k] - 1)
  }
}

limits <- function(crit, v, level = .95) {
  best <- crit(v); cut <- qchisq(level, 1)
  held <- function(i, x) {
    f <- function(rest) { w <- v; w[i] <- x; w[-i] <- exp(rest); tryCatch(crit(w), error = function(e) 1e6) }
    o <- optim(log(v[-i]), f, method = "BFGS", control = list(reltol = 1e-14, maxit = 500))
    optim(o$par, f, method = "BFGS", control = list(reltol = 1e-15, maxit = 500))$value
  }
  t(sapply(seq_along(v), function(i) {
    away <- function(x) held(i, x) - best - cut
    root <- function(from, to) exp(uniroot(function(s) away(exp(s)), log(v[i] * c(from, to)), tol = 1e-8)$root)
    low <- if (away(v[i] * 1e-6) <= 0) 0 else root(1e-6, .999)
    c(low, root(1.001, 60))
  }))
}

fit <- function(formula, d, profile = TRUE) {
  made <- lmer(formula, d, REML = TRUE, control = control)
  v <- as.data.frame(VarCorr(made)); names <- sub("Residual", "residual", v$grp)
  order <- c(names(getME(made, "flist")), "residual")
  values <- setNames(v$vcov, names)[order]
  out <- list(formula = deparse(formula), n = nrow(d), criterion = REMLcrit(made), components = as.list(values),
              mean = unname(fixef(made))[1])
  if (profile) {
    l <- limits(surface(formula, d, nrow(d), 1), unname(values))
    out$limits <- setNames(lapply(seq_along(order), function(i) l[i, ]), order)
  }
  out
}
write.csv(Penicillin, "tests/reference/data/penicillin.csv", row.names = FALSE, quote = FALSE)
Pastes$rep <- rep(1:2, 30)
write.csv(Pastes[c("strength", "batch", "cask", "rep")], "tests/reference/data/pastes.csv", row.names = FALSE, quote = FALSE)
out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = list(lme4 = as.character(packageVersion("lme4")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_variance_components.R",
  data = "lme4::Penicillin, lme4::Pastes (stored beside), lme4::InstEval (results alone)"),
  source = "lme4::lmer, REML, bobyqa to 1e-9; limits from its deviance function, optim, uniroot",
  penicillin = fit(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin),
  pastes = fit(strength ~ 1 + (1 | batch) + (1 | batch:cask), Pastes),
  insteval = c(fit(y ~ 1 + (1 | s) + (1 | d) + (1 | dept), InstEval, profile = FALSE), list(
    sum = sum(as.numeric(InstEval$y)),
    confint = list(call = "confint(lmer(y ~ 1 + (1|s) + (1|d) + (1|dept), InstEval)), standard deviations",
                   seconds = 435, s = c(.3131, .3402), d = c(.4929, .5433), dept = c(.0337, .1398),
                   residual = c(1.1716, 1.1840)))))
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"),
      "tests/reference/variance_components.json")
