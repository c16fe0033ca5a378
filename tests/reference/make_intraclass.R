# Makes tests/reference/intraclass.json.  From the root of the repository:
#   Rscript tests/reference/make_intraclass.R
# Needs lme4, jsonlite.  No network; the data are drawn here, seeded, and stored with the results.
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
set.seed(1996)
tight <- lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5), calc.derivs = FALSE,
                     check.conv.singular = "ignore")

table_of <- function(n, k, sd, holes) {
  x <- outer(rnorm(n, 50, sd[1]), rnorm(k, 0, sd[2]), "+") + rnorm(n * k, 0, sd[3])
  x[sample(n * k, round(holes * n * k))] <- NA
  round(x, 3)
}

parts <- function(fit) {
  v <- as.data.frame(VarCorr(fit))
  list(components = setNames(as.list(v$vcov), v$grp), reml = REMLcrit(fit), mean = unname(fixef(fit)))
}

ratings <- function(x) {
  d <- data.frame(y = c(x), targets = factor(row(x)), raters = factor(col(x)))
  d <- d[!is.na(d$y), ]
  list(rows = x, two_way = parts(lmer(y ~ 1 + (1 | targets) + (1 | raters), d, control = tight)),
       one_way = parts(lmer(y ~ 1 + (1 | targets), d, control = tight)))
}

# modified large-sample limits of the agreement of single ratings: the coefficient at which the limit of
# Ting et al. (1990) for the sum of mean squares that is 0 there is 0 (complete tables)
modified <- function(x, level) {
  d <- data.frame(y = c(x), target = factor(row(x)), rater = factor(col(x)))
  ms <- summary(aov(y ~ target + rater, d))[[1]][["Mean Sq"]]
  n <- nrow(x); k <- ncol(x); df <- c(n - 1, k - 1, (n - 1) * (k - 1)); a <- (1 - level) / 2
  one <- 1 - df / qchisq(1 - a, df)
  two <- df / qchisq(a, df) - 1
  limit <- function(rho, lower) {
    part <- c((1 - rho) / k, -rho / n, -((1 - rho) / k + rho - rho / n)) * ms
    if (!lower) part <- -part
    v <- sum(ifelse(part > 0, one, two)^2 * part^2)
    for (i in 1:2) for (j in (i + 1):3) {
      if (part[i] > 0 && part[j] > 0) {
        s <- df[i] + df[j]
        v <- v + part[i] * part[j] * ((1 - s / qchisq(1 - a, s))^2 * s^2 / (df[i] * df[j]) -
          one[i]^2 * df[i] / df[j] - one[j]^2 * df[j] / df[i])
      } else if (part[i] * part[j] < 0) {
        p <- if (part[i] > 0) i else j; q <- if (part[i] > 0) j else i
        f <- qf(1 - a, df[p], df[q])
        v <- v + abs(part[i] * part[j]) * ((f - 1)^2 - one[p]^2 * f^2 - two[q]^2) / f
      }
    }
    sum(part) - sqrt(max(v, 0))
  }
  root <- function(lower) uniroot(function(rho) limit(rho, lower), c(-1 / (k - 1) + 1e-9, 1 - 1e-9), tol = 1e-13)$root
  list(level = level, low = root(TRUE), high = root(FALSE))
}

# two blocks of targets, each with raters of its own
unlinked <- table_of(30, 6, c(8, 3, 5), 0)
unlinked[1:15, 4:6] <- NA
unlinked[16:30, 1:3] <- NA

groups <- function(sizes, sd) {
  g <- rep(seq_along(sizes), sizes)
  y <- round(50 + rnorm(length(sizes), 0, sd[1])[g] + rnorm(length(g), 0, sd[2]), 3)
  d <- data.frame(y = y, targets = factor(g))
  c(list(y = y, groups = g), parts(lmer(y ~ 1 + (1 | targets), d, control = tight)))
}

sf <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE)
plain <- table_of(25, 4, c(8, 3, 5), 0)
weak <- table_of(12, 3, c(1, 2, 6), 0)

out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = list(lme4 = as.character(packageVersion("lme4")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_intraclass.R",
  data = "drawn in the script, set.seed(1996); Shrout & Fleiss (1979), Psychological Bulletin 86, Table 2"),
  source = "lme4::lmer, REML = TRUE, bobyqa to 1e-10; modified limits by stats::aov, qchisq, qf, uniroot",
  ratings = list(
    complete = ratings(plain),
    holes10 = ratings(table_of(40, 5, c(8, 4, 6), .10)),
    holes20 = ratings(table_of(60, 3, c(5, 1, 6), .20)),
    holes30 = ratings(table_of(30, 8, c(6, 6, 4), .30)),
    unlinked = ratings(unlinked)),
  modified = list(
    shrout_fleiss = c(list(rows = sf), modified(sf, .95)), complete = c(list(rows = plain), modified(plain, .90)),
    weak = c(list(rows = weak), modified(weak, .95))),
  groups = list(
    unequal = groups(c(3, 5, 8, 20, 12, 7, 4, 9, 15, 6), c(4, 8)),
    flat = groups(c(4, 6, 5, 9, 3, 7), c(0, 8)),
    equal = groups(rep(6, 12), c(5, 6))))
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), "tests/reference/intraclass.json")
