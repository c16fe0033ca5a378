# Makes tests/reference/standards.json.  From the root of the repository:
#   Rscript tests/reference/make_standards.R
# Needs jsonlite.  Cuts by judges from mean squares of aov; DeLong's variance from its placements, written out; the cut
# between two groups by glm and uniroot; Wilson by prop.test; classification by numerical integration of the model.
suppressPackageStartupMessages(library(jsonlite))

judges <- t(matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE))
angoff <- function(x, w = rep(1 / ncol(x), ncol(x))) {
  j <- nrow(x); i <- ncol(x)
  d <- data.frame(y = c(x), judge = factor(rep(1:j, i)), item = factor(rep(1:i, each = j)))
  ms <- summary(aov(y ~ judge + item, d))[[1]][["Mean Sq"]]
  own <- as.numeric(x %*% w)
  test <- t.test(own)
  components <- c((ms[1] - ms[3]) / i, (ms[2] - ms[3]) / j, ms[3])
  random <- components[1] / j + sum(w^2) * (components[2] + components[3] / j)
  list(cut = unname(test$estimate), se_fixed = unname(test$stderr), ci_fixed = as.numeric(test$conf.int),
       components = components, se_random = sqrt(random),
       icc_agreement = (ms[2] - ms[3]) / (ms[2] + (j - 1) * ms[3] + j * (ms[1] - ms[3]) / i))
}

y <- mtcars$mpg; g <- mtcars$am
high <- y[g == 1]; low <- y[g == 0]
psi <- outer(high, low, function(a, b) (a > b) + (a == b) / 2)
auc <- mean(psi)
se <- sqrt(var(rowMeans(psi)) / length(high) + var(colMeans(psi)) / length(low))
reach <- qnorm(.975) * se / (auc * (1 - auc))
fit <- glm(g ~ y, family = binomial, control = list(epsilon = 1e-14, maxit = 100))
logistic <- -(coef(fit)[[1]] - log(length(high) / length(low))) / coef(fit)[[2]]
densities <- function(x) dnorm(x, mean(low), sd(low), log = TRUE) - dnorm(x, mean(high), sd(high), log = TRUE)
normal <- uniroot(densities, c(mean(low), mean(high)), tol = 1e-13)$root
values <- sort(unique(y)); middle <- (head(values, -1) + tail(values, -1)) / 2
youden <- sapply(middle, function(cut) mean(high >= cut) + mean(low < cut) - 1)
best <- middle[which(youden >= max(youden) - 1e-12)]
cut <- 20
wilson <- function(k, n) as.numeric(prop.test(k, n, correct = FALSE)$conf.int)

score <- c(31, 38, 42, 44, 47, 49, 50, 52, 53, 55, 57, 58, 60, 61, 63, 66, 68, 71, 74, 77, 80, 83, 86, 90)
error <- rep(c(4, 6, 5, 8), 6)
reml <- function(v) { w <- 1 / (v + error^2); m <- sum(w * score) / sum(w)
  sum(log(v + error^2)) + log(sum(w)) + sum(w * (score - m)^2) }
tau2 <- optimize(reml, c(0, 2000), tol = 1e-10)$minimum
w <- 1 / (tau2 + error^2); mu <- sum(w * score) / sum(w)
edges <- c(-Inf, 50, 75, Inf)
integral <- function(f) sum(sapply(1:3, function(k) integrate(f, max(edges[k], mu - 12 * sqrt(tau2)),
  min(edges[k + 1], mu + 12 * sqrt(tau2)), rel.tol = 1e-11)$value))
accuracy <- mean(sapply(error, function(s) sum(sapply(1:3, function(k) integrate(function(t) dnorm(t, mu, sqrt(tau2)) *
  (pnorm(edges[k + 1], t, s) - pnorm(edges[k], t, s)), max(edges[k], mu - 12 * sqrt(tau2)),
  min(edges[k + 1], mu + 12 * sqrt(tau2)), rel.tol = 1e-11)$value))))
consistency <- mean(sapply(error, function(s) integral(function(t) dnorm(t, mu, sqrt(tau2)) *
  rowSums(sapply(1:3, function(k) (pnorm(edges[k + 1], t, s) - pnorm(edges[k], t, s))^2)))))
marginal <- sapply(1:3, function(k) mean(pnorm(edges[k + 1], mu, sqrt(tau2 + error^2)) - pnorm(edges[k], mu, sqrt(tau2 + error^2))))
chance <- sum(marginal^2)
positive <- sapply(c(50, 75), function(c0) mean(sapply(error, function(s) integrate(function(t) dnorm(t, mu, sqrt(tau2)) *
  pnorm(c0, t, s, lower.tail = FALSE), mu - 12 * sqrt(tau2), c0, rel.tol = 1e-11)$value)))
rudner <- mean(sapply(seq_along(score), function(i) { k <- findInterval(score[i], c(50, 75)) + 1
  pnorm(edges[k + 1], score[i], error[i]) - pnorm(edges[k], score[i], error[i]) }))

meta <- list(R = R.version.string, packages = list(jsonlite = as.character(packageVersion("jsonlite"))),
             call = "aov; wilcox.test; glm; uniroot; prop.test; optimize; integrate",
             data = "Shrout & Fleiss (1979) Table 2; R datasets::mtcars; scores in the script")
made <- list(meta = meta,
  angoff = angoff(judges), weighted = angoff(judges, c(3, 1, 1, 1, 1, 1) / 8),
  groups = list(y = y, above = g, auc = auc, u = unname(wilcox.test(high, low, exact = FALSE)$statistic) / length(psi),
    se = se, ci = plogis(qlogis(auc) + c(-1, 1) * reach), logistic = logistic, normal = normal, youden = max(youden),
    best = best, sensitivity = mean(high >= cut), sensitivity_ci = wilson(sum(high >= cut), length(high)),
    specificity = mean(low < cut), specificity_ci = wilson(sum(low < cut), length(low))),
  classification = list(score = score, error = error, mean = mu, tau = sqrt(tau2), accuracy = accuracy,
    consistency = consistency, kappa = (consistency - chance) / (1 - chance), false_positive = positive, rudner = rudner))
writeLines(toJSON(made, digits = 15, auto_unbox = TRUE, pretty = TRUE), "tests/reference/standards.json")
