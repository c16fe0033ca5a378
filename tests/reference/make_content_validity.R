# Reference values of content validity: Rscript tests/reference/make_content_validity.R > tests/reference/content_validity.json
# Everything by base R; formulas written out from the cited papers.
suppressMessages(library(jsonlite))
# a published panel: 12 items by 6 experts, relevance 1-4 (PMC7253559)
rows <- strsplit(c("444444", "434434", "444444", "444444", "344444", "234334", "444444", "444444", "334234", "444344",
                   "444344", "444344"), "")
x <- t(sapply(rows, as.integer))  # items by experts
n <- ncol(x)
agreeing <- rowSums(x >= 3)
limits <- sapply(agreeing, function(a) binom.test(a, n)$conf.int)
chance <- dbinom(agreeing, n, 0.5)
icvi <- agreeing / n
v <- (rowMeans(x) - 1) / 3
z <- qnorm(0.975)
points <- n * 3
aiken <- sapply(c(-1, 1), function(s)
  (2 * points * v + z^2 + s * z * sqrt(4 * points * v * (1 - v) + z^2)) / (2 * (points + z^2)))
# Wilson's interval, as prop.test makes it without correction, of whole points: the same limits
wilson <- t(sapply(rowSums(x - 1), function(s) suppressWarnings(prop.test(s, points, correct = FALSE)$conf.int)))
critical <- sapply(1:40, function(k) {
  p <- sapply(0:k, function(e) binom.test(e, k, 0.5, alternative = "greater")$p.value)
  if (all(p > 0.05)) NA else 2 * (min(which(p <= 0.05)) - 1) / k - 1
})
essential <- c(10, 9, 8, 5, 2, 0)
ratio <- list(essential = essential, cvr = (essential - 5) / 5,
              p = sapply(essential, function(e) binom.test(e, 10, 0.5, alternative = "greater")$p.value),
              low = sapply(essential, function(e) 2 * binom.test(e, 10)$conf.int[1] - 1),
              high = sapply(essential, function(e) 2 * binom.test(e, 10)$conf.int[2] - 1))
out <- list(
  meta = list(R = R.version.string, packages = list(jsonlite = as.character(packageVersion("jsonlite"))),
              call = "Rscript tests/reference/make_content_validity.R",
              source = "stats::binom.test, prop.test, dbinom; Polit, Beck & Owen (2007); Penfield & Giacobbi (2004)"),
  ratings = x, icvi = icvi, low = limits[1, ], high = limits[2, ], chance = chance, kappa = (icvi - chance) / (1 - chance),
  average = mean(icvi), universal = mean(agreeing == n), v = v, v_low = aiken[, 1], v_high = aiken[, 2],
  v_wilson = wilson, critical = critical, ratio = ratio)
cat(toJSON(out, digits = 15, auto_unbox = TRUE, pretty = FALSE, na = "null"), "\n")
