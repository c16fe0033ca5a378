# Fixture of the shrinkage tests.  From the root of the repository:
#   Rscript tests/reference/make_shrinkage.R
# The restricted likelihood of the normal-normal model from dense matrices, maximised by optimize, plain and with the
# adjustment of Yoshimori & Lahiri (2014); best linear unbiased predictions at its maximum; posterior moments under a
# flat tau^2 by integrate; and for equal variances lme4.  Data are made here, seeded, or printed in the sources named.
suppressMessages({library(lme4); library(jsonlite)})
set.seed(20301)

loglik <- function(a, y, v) {
  V <- diag(v + a); X <- matrix(1, length(y), 1)
  W <- solve(V); XWX <- t(X) %*% W %*% X
  r <- y - X %*% solve(XWX, t(X) %*% W %*% y)
  as.numeric(-0.5 * (determinant(V)$modulus + determinant(XWX)$modulus + t(r) %*% W %*% r))
}
maximum <- function(f, top) {
  grid <- top * (seq(0, 1, length.out = 400))^3
  best <- which.max(sapply(grid, f))
  optimize(f, c(grid[max(best - 1, 1)], grid[min(best + 1, 400)]), maximum = TRUE, tol = 1e-14)$maximum
}
blup <- function(a, y, v) {
  w <- 1 / (v + a); mu <- sum(w * y) / sum(w)
  list(mean = mu, theta = mu + a / (a + v) * (y - mu))
}
posterior <- function(y, v, top) {
  peak <- max(sapply(seq(0, top, length.out = 2000), loglik, y, v))
  density <- Vectorize(function(a) exp(loglik(a, y, v) - peak))
  # a = s u/(1-u): the whole half-line on 0 to 1
  s <- 1 / mean(1 / v)
  whole <- function(g) integrate(function(u) { a <- s * u / (1 - u); g(a) * density(a) * s / (1 - u)^2 }, 0, 1 - 1e-9,
                                 rel.tol = 1e-9, subdivisions = 2000)$value
  total <- whole(function(a) rep(1, length(a)))
  one <- function(i, second) whole(Vectorize(function(a) {
    w <- 1 / (v + a); mu <- sum(w * y) / sum(w); b <- v[i] / (v[i] + a)
    m <- (1 - b) * y[i] + b * mu
    if (second) m^2 + b * a + b^2 / sum(w) else m
  })) / total
  mean <- sapply(seq_along(y), one, FALSE)
  list(mean = mean, sd = sqrt(sapply(seq_along(y), one, TRUE) - mean^2))
}
of <- function(y, v) {
  top <- 20 * var(y) + 1e-6
  a <- maximum(function(a) loglik(a, y, v), top)
  if (loglik(0, y, v) >= loglik(a, y, v)) a <- 0
  adjusted <- maximum(function(a) loglik(a, y, v) + log(atan(sum(a / (a + v)))) / length(y), top)
  list(y = y, v = v, reml = a, adjusted = adjusted, blup = blup(adjusted, y, v), posterior = posterior(y, v, top))
}

made <- list(
  sites = { v <- runif(24, .001, .02); of(rnorm(24, .9, sqrt(.006 + v)), v) },
  uneven = { v <- .15 / c(5, 5, 8, 12, 20, 30, 60, 200, 1000, 10000); of(rnorm(10, .9, sqrt(.01 + v)), v) },
  # Rubin (1981), J Educ Stat 6, 377-401: coaching in eight schools
  schools = of(c(28, 8, -3, 7, -1, 1, 18, 12), c(15, 10, 16, 11, 9, 11, 10, 18)^2)
)

d <- data.frame(site = factor(rep(1:30, each = 8)))
d$y <- rnorm(30, .7, .08)[d$site] + rnorm(240, 0, .2)
fit <- lmer(y ~ 1 + (1 | site), d, REML = TRUE, control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14)))
variances <- as.data.frame(VarCorr(fit))$vcov
equal <- list(y = as.numeric(tapply(d$y, d$site, mean)), v = rep(variances[2] / 8, 30), reml = variances[1],
              mean = as.numeric(fixef(fit)), theta = as.numeric(coef(fit)$site[, 1]))

meta <- list(
  r = R.version.string,
  packages = list(lme4 = as.character(packageVersion("lme4")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_shrinkage.R",
  source = "simulated in the script, set.seed(20301); eight schools: Rubin (1981), table 1"
)
writeLines(toJSON(c(list(meta = meta, equal = equal), made), digits = 15, auto_unbox = TRUE), "tests/reference/shrinkage.json")
