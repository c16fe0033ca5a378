# Adjusted p-values, the spread of sites by the generalized Q statistic, and differences of two shares: Newcombe's (1998)
# method 10, from Wilson's limits of one share as prop.test gives them.
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
pairs <- rbind(c(56, 70, 48, 80), c(9, 10, 3, 10), c(6, 7, 2, 7), c(5, 56, 0, 29), c(0, 10, 0, 20), c(0, 10, 0, 10),
  c(10, 10, 0, 20), c(10, 10, 0, 10), c(431, 500, 77, 90), c(1, 200, 3, 5))
wilson <- function(x, n, level) suppressWarnings(prop.test(x, n, conf.level = level, correct = FALSE))$conf.int
shares <- unlist(lapply(c(0.9, 0.95), function(level) lapply(seq_len(nrow(pairs)), function(i) {
  x <- pairs[i, ]
  one <- wilson(x[1], x[2], level); two <- wilson(x[3], x[4], level)
  p <- x[1] / x[2]; q <- x[3] / x[4]
  list(x = x, level = level, low = p - q - sqrt((p - one[1])^2 + (two[2] - q)^2),
    high = p - q + sqrt((one[2] - p)^2 + (q - two[1])^2))
})), recursive = FALSE)
out <- list(
  meta = list(R = R.version.string, packages = list(stats = R.version.string),
    call = "p.adjust(p, 'BH'), p.adjust(p, 'BY'); uniroot of generalized Q; prop.test(x, n, correct = FALSE)",
    data = "seeded: set.seed(41)"),
  adjusted = adjusted, spread = spread, shares = shares)
write(toJSON(out, digits = 12, auto_unbox = TRUE, na = "null"), "tests/reference/comparison.json")
