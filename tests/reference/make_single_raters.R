# Makes tests/reference/single_raters.json.  From the root of the repository:
#   Rscript tests/reference/make_single_raters.R
# Needs psych, jsonlite.  No network; the data are drawn here, seeded, and stored with the results.
suppressPackageStartupMessages({library(psych); library(jsonlite)})
set.seed(2026)

n <- 24; r <- 4
truth <- sample(1:5, n, replace = TRUE)
cut5 <- function(v) pmin(pmax(v, 1), 5)
x <- sapply(c(-.4, 0, .2, .6), function(s) cut5(round(truth + s + rnorm(n, 0, .7))))
later <- cut5(x + matrix(sample(c(-1, 0, 0, 0, 1), n * r, replace = TRUE, prob = c(.1, .2, .2, .2, .3)), n))
complete <- x
x[cbind(sample(n, 20, replace = TRUE), sample(r, 20, replace = TRUE))] <- NA
file <- rep(1:6, c(2, 3, 4, 4, 5, 6))

root <- function(a, power) {  # power of a symmetric matrix on its own space
  e <- eigen(a, symmetric = TRUE)
  keep <- e$values > 1e-9
  e$vectors[, keep, drop = FALSE] %*% (e$values[keep]^power * t(e$vectors[, keep, drop = FALSE]))
}

# CR2 of Bell & McCaffrey (2002) from the full design of units and raters: with H the hat matrix and e the residuals,
# V = M sum_c X_c' A_c e_c e_c' A_c X_c M, A_c = (I - H_cc)^(-1/2), M = (X'X)^-, and
# df = (sum_i l_i)^2 / sum_i l_i^2 over the eigenvalues l of G'G, g_c = (I - H)_c' A_c X_c M contrast
severity <- function(x, cluster, level) {
  keep <- rowSums(!is.na(x)) >= 2
  x <- x[keep, ]; cluster <- cluster[keep]
  d <- data.frame(y = c(x), unit = factor(c(row(x))), rater = factor(c(col(x))), cluster = rep(cluster, ncol(x)))
  d <- d[!is.na(d$y), ]
  fit <- lm(y ~ unit + rater, d, contrasts = list(rater = "contr.sum"))
  b <- coef(fit)[grep("rater", names(coef(fit)))]
  effects <- c(b, -sum(b))
  design <- cbind(model.matrix(~ unit - 1, d), model.matrix(~ rater - 1, d))
  M <- root(crossprod(design), -1)
  H <- design %*% M %*% t(design)
  e <- d$y - H %*% d$y
  C <- cbind(matrix(0, ncol(x), nlevels(d$unit)), diag(ncol(x)) - 1 / ncol(x))
  V <- 0; G <- list()
  for (c in unique(d$cluster)) {
    k <- which(d$cluster == c)
    a <- C %*% M %*% t(design[k, , drop = FALSE]) %*% root(diag(length(k)) - H[k, k], -.5)
    G[[length(G) + 1]] <- a %*% (diag(nrow(d)) - H)[k, ]
    V <- V + tcrossprod(a %*% e[k])
  }
  df <- sapply(seq_len(ncol(x)), function(j) {
    g <- sapply(G, function(one) one[j, ])
    gg <- crossprod(g)
    sum(diag(gg))^2 / sum(gg^2)
  })
  se <- sqrt(diag(V)); t <- qt((1 + level) / 2, df)
  list(effects = as.numeric(effects), std_error = se, df = df, low = effects - t * se, high = effects + t * se)
}

# Hotelling's T2 of the differences from the first rater
hotelling <- function(x) {
  d <- x[, -1] - x[, 1]; n <- nrow(d); q <- ncol(d)
  t2 <- n * colMeans(d) %*% solve(cov(d)) %*% colMeans(d)
  f <- as.numeric(t2) * (n - q) / (q * (n - 1))
  list(f = f, df1 = q, df2 = n - q, p = pf(f, q, n - q, lower.tail = FALSE))
}

kappas <- function(a, b) {
  ok <- !is.na(a) & !is.na(b)
  k <- suppressWarnings(psych::cohen.kappa(cbind(a[ok], b[ok]), levels = 1:5))
  list(n = sum(ok), unweighted = k$kappa, quadratic = k$weighted.kappa, var_unweighted = k$var.kappa,
       var_quadratic = k$var.weighted)
}

# quadratic kappa of a rater with the shares of the others' ratings, by the definition
others <- function(x, g) {
  keep <- !is.na(x[, g]) & rowSums(!is.na(x)) >= 2
  own <- x[keep, g]; rest <- x[keep, -g]
  s <- t(apply(rest, 1, function(v) table(factor(v, 1:5)) / sum(!is.na(v))))
  w <- 1 - outer(1:5, 1:5, "-")^2 / 16
  pa <- mean(sapply(seq_along(own), function(i) sum(w[own[i], ] * s[i, ])))
  pe <- as.numeric(t(table(factor(own, 1:5)) / length(own)) %*% w %*% colMeans(s))
  (pa - pe) / (1 - pe)
}

change <- function(a, b) {
  ok <- !is.na(a) & !is.na(b); t <- t.test(b[ok] - a[ok])
  list(n = sum(ok), mean = as.numeric(t$estimate), ci = as.numeric(t$conf.int), std_error = t$stderr)
}

out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = list(psych = as.character(packageVersion("psych")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_single_raters.R",
  data = list(drawn = "24 units, 4 raters, 5 categories, twice, drawn in the script, set.seed(2026)"),
  source = "stats::lm, t.test; psych::cohen.kappa; CR2, Hotelling's T2 and kappa with the others as written out there"),
  x = x, later = later, complete = complete, gold = truth, cluster = file,
  severity = severity(x, seq_len(n), .95), severity_clusters = severity(x, file, .90),
  severity_complete = severity(complete, seq_len(n), .95), hotelling = hotelling(complete),
  gold_kappas = lapply(1:r, function(g) kappas(x[, g], truth)),
  drift_kappas = lapply(1:r, function(g) kappas(x[, g], later[, g])),
  drift = lapply(1:r, function(g) change(x[, g], later[, g])),
  others = sapply(1:r, function(g) others(x, g)))
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), "tests/reference/single_raters.json")
