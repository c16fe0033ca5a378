# Makes tests/reference/psychometrics.json.  From the root of the repository:
#   Rscript tests/reference/make_psychometrics.R
# Needs psych, multilevel, jsonlite.  No network, no random numbers.
suppressPackageStartupMessages({library(psych); library(multilevel); library(jsonlite)})

out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = list(psych = as.character(packageVersion("psych")),
                  multilevel = as.character(packageVersion("multilevel"))),
  call = "Rscript tests/reference/make_psychometrics.R",
  data = list(
    bfi = "tests/reference/data/bfi.csv (psychTools, GPL >= 2)",
    lq2002 = "instruments/lq2002/lq2002.csv (multilevel, GPL >= 2)",
    bh1996 = "multilevel::bh1996 (GPL >= 2), as size, mean and sd of each group",
    shrout_fleiss = "Shrout & Fleiss (1979), Psychological Bulletin 86, Table 2")))

# psych::alpha and psych::describe on the five scales of bfi, complete rows ---------------------------------
bfi <- read.csv("tests/reference/data/bfi.csv")
scales <- list(A = c("-A1", "A2", "A3", "A4", "A5"), C = c("C1", "C2", "C3", "-C4", "-C5"),
               E = c("-E1", "-E2", "E3", "E4", "E5"), N = c("N1", "N2", "N3", "N4", "N5"),
               O = c("O1", "-O2", "O3", "O4", "-O5"), three = c("N1", "N2", "N3"))
out$alpha <- lapply(scales, function(keys) {
  names <- sub("-", "", keys)
  reversed <- names[startsWith(keys, "-")]
  x <- na.omit(bfi[, names])
  a <- suppressWarnings(psych::alpha(x, keys = if (length(reversed)) reversed else NULL))
  x[, reversed] <- 7 - x[, reversed]
  d <- psych::describe(x, type = 2)
  narrow <- psych:::alpha.ci(a$total$raw_alpha, nrow(x), length(names), p.val = .10)
  list(items = names, reversed = I(reversed), n = nrow(x), raw = a$total$raw_alpha, std = a$total$std.alpha,
       average_r = a$total$average_r, feldt = c(a$feldt$lower.ci[[1]], a$feldt$upper.ci[[1]]),
       feldt90 = c(narrow$lower.ci, narrow$upper.ci), alpha_drop = a$alpha.drop$raw_alpha,
       r_drop = a$item.stats$r.drop, mean = d$mean, sd = d$sd, skew2 = d$skew)
})

# psych::ICC, one-way ------------------------------------------------------------------------------------------
sf <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE)
icc <- psych::ICC(sf, lmer = FALSE)$results[c(1, 4), ]
out$shrout_fleiss <- list(rows = sf, icc = icc$ICC, low = icc[["lower bound"]], high = icc[["upper bound"]])

# multilevel on lq2002 ----------------------------------------------------------------------------------------------
lq <- read.csv("instruments/lq2002/lq2002.csv")
lead <- lq[, grep("^LEAD", names(lq))]
tsig <- lq[, grep("^TSIG", names(lq))]
host <- lq[, grep("^HOSTIL", names(lq))]
means_of_groups <- function(y, g) {
  m <- aov(y ~ as.factor(g)); s <- summary(m)[[1]]
  sizes <- as.numeric(table(g)); N <- sum(sizes); J <- length(sizes)
  n0 <- (N - sum(sizes^2) / N) / (J - 1)
  list(icc1 = ICC1(m), icc2 = ICC2(m), ms = s[["Mean Sq"]], n0 = n0,
       icc1_anova = (s[["Mean Sq"]][1] - s[["Mean Sq"]][2]) / (s[["Mean Sq"]][1] + (n0 - 1) * s[["Mean Sq"]][2]))
}
one <- function(x, low, high) {
  g <- lq$COMPID; y <- rowMeans(x)
  list(icc = means_of_groups(y, g), low = low, high = high, rwg = rwg(y, g, ranvar = 2)$rwg,
       rwg_j = rwg.j(x, g, ranvar = 2)$rwg.j, awg = awg(x, g, range = c(low, high))$a.wg, ad = ad.m(x, g)$AD.M,
       rwg_item = rwg(x[, 1], g, ranvar = 2)$rwg, awg_item = awg(x[, 1], g, range = c(low, high))$a.wg,
       ad_item = ad.m(x[, 1], g)$AD.M, rwg_skewed = rwg(x[, 1], g, ranvar = 0.9)$rwg)
}
out$lq2002 <- list(groups = sort(unique(lq$COMPID)), n = as.numeric(table(lq$COMPID)),
                   LEAD = one(lead, 1, 5), TSIG = one(tsig, 1, 5), HOSTIL = one(host, 0, 4))

# Exact limits of the variance ratio, by dense generalised least squares on the first companies of lq2002 ---------
# F(theta) = ((RSS of the mean alone, under V = I + theta ZZ') - SSW) / (J - 1) / MSW, exactly F distributed.
wald <- function(y, g, level) {
  g <- factor(g); Z <- model.matrix(~ g - 1); X <- matrix(1, length(y), 1); J <- nlevels(g); N <- length(y)
  ssw <- deviance(lm(y ~ g))
  f <- function(theta) {
    Vi <- solve(diag(N) + theta * tcrossprod(Z))
    b <- solve(t(X) %*% Vi %*% X, t(X) %*% Vi %*% y); r <- y - X %*% b
    (drop(t(r) %*% Vi %*% r) - ssw) / (J - 1) / (ssw / (N - J))
  }
  limit <- function(p) uniroot(function(theta) f(theta) - qf(p, J - 1, N - J),
                               c(-0.999 / max(table(g)), 5), tol = 1e-14)$root
  theta <- c(limit((1 + level) / 2), limit((1 - level) / 2))
  list(level = level, icc1 = theta / (1 + theta))
}
few <- lq$COMPID <= 10
out$wald <- list(largest_company = 10, LEAD = wald(rowMeans(lead)[few], lq$COMPID[few], .95),
                 TSIG = wald(rowMeans(tsig)[few], lq$COMPID[few], .95),
                 HOSTIL = wald(rowMeans(host)[few], lq$COMPID[few], .90))

# multilevel on bh1996, 7,382 soldiers in 99 groups -----------------------------------------------------------------
data(bh1996)
out$bh1996 <- lapply(c(LEAD = "LEAD", COHES = "COHES", WBEING = "WBEING", HRS = "HRS"), function(v) {
  y <- bh1996[[v]]; g <- bh1996$GRP
  list(n = as.numeric(tapply(y, g, length)), mean = as.numeric(tapply(y, g, mean)), sd = as.numeric(tapply(y, g, sd)),
       icc = means_of_groups(y, g), rwg = rwg(y, g, ranvar = 2)$rwg)
})

write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), "tests/reference/psychometrics.json")
