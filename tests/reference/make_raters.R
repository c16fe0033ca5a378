# Makes tests/reference/raters.json.  From the root of the repository:
#   Rscript tests/reference/make_raters.R
# Needs psych, jsonlite.  No network; one data set is drawn here, seeded, and stored with the results.
suppressPackageStartupMessages({library(psych); library(jsonlite)})
set.seed(1979)

sf <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE)
drawn <- round(outer(rnorm(40, 50, 8), c(-4, -1, 0, 2, 3), "+") + rnorm(200, 0, 6), 3)
# Bland & Altman (1986), Lancet 327, 307-310, Table: peak flow of 17 persons, first readings, litres a minute
large <- c(494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
mini <- c(512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)

squares <- function(x) {
  d <- data.frame(y = c(x), target = factor(row(x)), rater = factor(col(x)))
  two <- summary(aov(y ~ target + rater, d))[[1]][["Mean Sq"]]
  one <- summary(aov(y ~ target, d))[[1]][["Mean Sq"]]
  list(targets = two[1], raters = two[2], residual = two[3], within = one[2])
}

icc <- function(x, alpha) {
  r <- psych::ICC(x, lmer = FALSE, alpha = alpha)$results
  list(type = r$type, icc = r$ICC, f = r$F, df1 = r$df1, df2 = r$df2, p = r$p,
       low = r[["lower bound"]], high = r[["upper bound"]])
}

# standard errors of measurement from variance components: var(rater) + var(residual), var(residual)
sem <- function(x, level) {
  n <- nrow(x); k <- ncol(x); m <- squares(x); tail <- (1 - level) / 2
  v <- (m$raters - m$residual) / n + m$residual
  df <- v^2 / ((m$raters / n)^2 / (k - 1) + ((n - 1) * m$residual / n)^2 / ((n - 1) * (k - 1)))
  one <- function(v, df) list(sem = sqrt(v), df = df, low = sqrt(v * df / qchisq(1 - tail, df)),
                              high = sqrt(v * df / qchisq(tail, df)), sdc = qnorm(.975) * sqrt(2 * v))
  # Graybill & Wang (1980) for the sum of two mean squares
  parts <- c(m$raters / n, (n - 1) * m$residual / n); nu <- c(k - 1, (n - 1) * (k - 1))
  agreement <- one(v, df)
  agreement$low <- sqrt(v - sqrt(sum(((1 - nu / qchisq(1 - tail, nu)) * parts)^2)))
  agreement$high <- sqrt(v + sqrt(sum(((nu / qchisq(tail, nu) - 1) * parts)^2)))
  list(level = level, agreement = agreement, consistency = one(m$residual, (n - 1) * (k - 1)),
       differences = one(var(x[, 1] - x[, 2]) / 2, n - 1))
}

# limits of agreement, exact interval of a normal quantile by the noncentral t, regression by lm
limits <- function(a, b, level) {
  d <- a - b; n <- length(d); tail <- (1 - level) / 2; z <- qnorm(.975); m <- (a + b) / 2
  away <- z * sd(d)
  edge <- qt(c(tail, 1 - tail), n - 1, ncp = z * sqrt(n)) * sd(d) / sqrt(n)
  fit <- lm(d ~ m); s <- summary(fit)$coefficients
  list(level = level, a = a, b = b, bias = mean(d), bias_ci = as.numeric(t.test(d, conf.level = level)$conf.int),
       sd = sd(d), lower = mean(d) - away, upper = mean(d) + away, lower_ci = mean(d) - rev(edge),
       upper_ci = mean(d) + edge, slope = s[2, 1], intercept = s[1, 1], std_error = s[2, 2], t = s[2, 3], p = s[2, 4],
       slope_ci = as.numeric(confint(fit, level = level)[2, ]))
}

of <- function(x) list(rows = x, squares = squares(x), icc95 = icc(x, .05), icc90 = icc(x, .10),
                       sem95 = sem(x, .95), sem90 = sem(x, .90))
out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = list(psych = as.character(packageVersion("psych")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_raters.R",
  data = list(
    shrout_fleiss = "Shrout & Fleiss (1979), Psychological Bulletin 86, Table 2",
    drawn = "40 targets, 5 raters, drawn in the script, set.seed(1979)",
    peak_flow = "Bland & Altman (1986), Lancet 327, 307-310: 17 persons, first readings of two meters")),
  source = "psych::ICC; stats::aov, qchisq, qt with ncp, lm, t.test",
  shrout_fleiss = of(sf), drawn = of(drawn),
  limits = list(peak_flow = limits(large, mini, .95), drawn = limits(drawn[, 1], drawn[, 5], .90)))
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), "tests/reference/raters.json")
