# Makes tests/reference/consistency.json.  From the root of the repository:
#   Rscript tests/reference/make_consistency.R
# Needs psych, lavaan, semTools, jsonlite.  No network, no random numbers.
# Stratified alpha, the Spearman-Brown interval and the best split are written here from the formulas.
suppressPackageStartupMessages({library(psych); library(lavaan); library(semTools); library(jsonlite)})

bfi <- read.csv("tests/reference/data/bfi.csv")
lq <- read.csv("instruments/lq2002/lq2002.csv")
keys <- list(A = c("-A1", "A2", "A3", "A4", "A5"), C = c("C1", "C2", "C3", "-C4", "-C5"),
             E = c("-E1", "-E2", "E3", "E4", "E5"), N = c("N1", "N2", "N3", "N4", "N5"),
             O = c("O1", "-O2", "O3", "O4", "-O5"), three = c("N1", "N2", "N3"))
of_bfi <- function(key) {
  names <- sub("-", "", key); x <- na.omit(bfi[, names]); r <- names[startsWith(key, "-")]
  x[, r] <- 7 - x[, r]
  list(data = "bfi", reversed = I(r), x = x)
}
of_lq <- function(start) {
  list(data = "lq2002", reversed = I(character(0)), x = na.omit(lq[, grep(paste0("^", start), names(lq))]))
}
scales <- c(lapply(keys, of_bfi), list(LEAD = of_lq("LEAD"), TSIG = of_lq("TSIG"), HOSTIL = of_lq("HOSTIL")))

omega <- function(x) {
  model <- paste("f =~", paste(names(x), collapse = " + "))
  fit <- cfa(model, x, std.lv = TRUE)
  e <- lavInspect(fit, "est"); m <- fitMeasures(fit)
  s <- sign(sum(e$lambda))
  # the model again with omega as a defined parameter, for its delta-method standard error
  labelled <- paste0("f =~ ", paste0("l", seq_along(x), "*", names(x), collapse = " + "), "\n",
    paste0(names(x), " ~~ u", seq_along(x), "*", names(x), collapse = "\n"), "\n",
    "common := (", paste0("l", seq_along(x), collapse = "+"), ")^2\n",
    "omega := common/(common + ", paste0("u", seq_along(x), collapse = "+"), ")")
  d <- function(...) {
    p <- parameterEstimates(cfa(labelled, x, std.lv = TRUE, ...))
    p$se[p$lhs == "omega" & p$op == ":="]
  }
  list(model_implied = unname(c(compRelSEM(fit, obs.var = FALSE))),
       observed = unname(c(compRelSEM(fit, obs.var = TRUE))),
       loadings = s * as.numeric(e$lambda), uniquenesses = as.numeric(diag(e$theta)), chi_square = m[["chisq"]],
       df = m[["df"]], p = m[["pvalue"]], rmsea = m[["rmsea"]], se = d(), se_robust = d(se = "robust.huber.white"))
}
# every split into halves that differ by at most one item; psych::splitHalf tries half of them where k is odd
best_split <- function(s) {
  k <- ncol(s)
  max(combn(k, k %/% 2, function(a) 4 * sum(s[a, -a, drop = FALSE]) / sum(s)))
}
lambdas <- function(x) {
  r <- cor(x)
  g <- suppressWarnings(suppressMessages(psych::guttman(r)))
  raw <- suppressWarnings(psych::splitHalf(x, covar = TRUE, brute = TRUE, check.keys = FALSE))
  list(best_split = c(best_split(cov(x)), best_split(r)),
       standardized = c(g$lambda.1, g$lambda.2, g$lambda.3, g$lambda.4, g$lambda.5, g$lambda.6),
       raw = list(lambda2 = raw$lambda2, lambda3 = raw$alpha, lambda4 = raw$maxrb, lambda6 = raw$lambda6))
}
two <- function(x, level) {
  r <- cor(x[, 1], x[, 2]); ci <- as.numeric(cor.test(x[, 1], x[, 2], conf.level = level)$conf.int)
  step <- function(r, m) m * r / (1 + (m - 1) * r)
  list(items = names(x), n = nrow(x), r = r, r_ci = ci, level = level, doubled = step(r, 2), doubled_ci = step(ci, 2),
       fivefold = step(r, 5), fivefold_ci = step(ci, 5),
       # psych's own two-item reliability: standardised alpha is Spearman-Brown
       std_alpha = suppressWarnings(psych::alpha(x, check.keys = FALSE))$total$std.alpha)
}
stratified <- function(x, strata) {
  v <- sapply(strata, function(s) var(rowSums(x[, s])))
  a <- sapply(strata, function(s) suppressWarnings(psych::alpha(x[, s], check.keys = FALSE))$total$raw_alpha)
  list(strata = strata, n = nrow(x), alphas = unname(a), variances = unname(v),
       alpha = 1 - sum(v * (1 - a)) / var(rowSums(x)))
}
items <- function(x) {  # rows with missing answers kept: pairwise covariances
  a <- suppressWarnings(psych::alpha(x, check.keys = FALSE))
  l <- suppressWarnings(psych::alpha(na.omit(x), check.keys = FALSE))
  f <- a$response.freq
  list(items = names(x), n = a$item.stats$n, r_drop = a$item.stats$r.drop, r_drop_listwise = l$item.stats$r.drop,
       alpha_listwise = l$total$raw_alpha, alpha_drop_listwise = l$alpha.drop$raw_alpha,
       levels = as.numeric(setdiff(colnames(f), "miss")), freq = unname(f[, colnames(f) != "miss"]),
       miss = unname(f[, "miss"]))
}
lead <- lq[, grep("^LEAD", names(lq))]; tsig <- lq[, grep("^TSIG", names(lq))]
eighteen <- na.omit(bfi[, c(paste0("N", 1:5), paste0("E", 3:5), paste0("C", 1:3), paste0("A", 2:5), "O1", "O3", "O4")])

out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = lapply(c(psych = "psych", lavaan = "lavaan", semTools = "semTools", jsonlite = "jsonlite"),
                    function(p) as.character(packageVersion(p))),
  call = "Rscript tests/reference/make_consistency.R",
  data = list(bfi = "tests/reference/data/bfi.csv (psychTools, GPL >= 2)",
              lq2002 = "instruments/lq2002/lq2002.csv (multilevel, GPL >= 2)"),
  source = paste("lavaan::cfa, semTools::compRelSEM; psych::guttman, splitHalf, alpha; stats::cor.test;",
                 "stratified alpha, Spearman-Brown and the best split written in the script from the formulas")),
  omega = lapply(scales, function(s) c(s[1:2], list(items = names(s$x), n = nrow(s$x)), omega(s$x))),
  guttman = lapply(scales, function(s) c(s[1:2], list(items = names(s$x)), lambdas(s$x))),
  guttman18 = c(list(items = names(eighteen)), lambdas(eighteen)),
  spearman_brown = list(a = two(na.omit(bfi[, c("N1", "N2")]), .95), b = two(na.omit(bfi[, c("O1", "O3")]), .90)),
  stratified = list(lq2002 = stratified(na.omit(cbind(lead, tsig)), list(LEAD = names(lead), TSIG = names(tsig))),
                    bfi = stratified(na.omit(bfi[, c(paste0("N", 1:5), paste0("E", 3:5))]),
                                     list(N = paste0("N", 1:5), E = paste0("E", 3:5)))),
  items = list(N = items(bfi[, paste0("N", 1:5)]), C = items(bfi[, c("C1", "C2", "C3")])))
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), "tests/reference/consistency.json")
