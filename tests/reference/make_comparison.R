# Adjusted p-values, and the spread of sites by the generalized Q statistic.
# Rscript tests/reference/make_comparison.R   (from the root; base R 4.2 and jsonlite of Debian)
suppressMessages(library(jsonlite))
set.seed(41)
p <- list(
  ties = c(0.01, 0.02, 0.02, 0.03, 0.5, 0.5, 1),
  missing = c(0.001, NA, 0.04, 0.03, NA, 0.2),
  one = 0.03,
  many = round(c(runif(60), rbeta(40, 0.2, 4)), 6),
  none = c(1, 1, 1))
adjusted <- lapply(p, function(x) list(p = x, bh = p.adjust(x, "BH"), by = p.adjust(x, "BY")))
q <- function(t2, y, v) {w <- 1 / (v + t2); m <- sum(w * y) / sum(w); sum(w * (y - m)^2) - (length(y) - 1)}
spread <- lapply(1:4, function(i) {
  n <- c(5, 12, 24, 290)[i]
  v <- round(runif(n, 2, 40), 4)
  y <- round(60 + rnorm(n, 0, sqrt(v + c(0, 25, 100, 36)[i])), 4)
  t2 <- if (q(0, y, v) <= 0) 0 else uniroot(q, c(0, 1e4), y = y, v = v, tol = 1e-12, maxiter = 10000)$root
  list(y = y, v = v, tau2 = t2)
})
out <- list(
  meta = list(R = R.version.string, packages = list(stats = R.version.string),
    call = "p.adjust(p, 'BH'), p.adjust(p, 'BY'); uniroot of generalized Q", data = "seeded: set.seed(41)"),
  adjusted = adjusted, spread = spread)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "tests/reference/comparison.json")
