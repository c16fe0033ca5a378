# Fixture of the scoring tests: linearised standard errors with weights and a finite-population correction.
# From the root of the repository:
#   Rscript tests/reference/make_survey.R
# survey's svymean, svyratio and svycontrast under clusters, weights and fpc. Data are made here, seeded, and stored
# with the results.
suppressMessages({library(survey); library(jsonlite)})
set.seed(5118)

eligible <- c(60, 24, 40, 200); taken <- c(24, 24, 20, 30); n_site <- length(taken)
d <- do.call(rbind, lapply(1:n_site, function(s) data.frame(site = s, file = 1:taken[s], fpc = eligible[s])))
d$cluster <- paste0("s", d$site, "-", (d$file - 1) %% 4)
d$unit <- sprintf("u%03d", seq_len(nrow(d)))
effect <- rnorm(4 * n_site, 0, .6)[(d$site - 1) * 4 + (d$file - 1) %% 4 + 1]
d$answer <- rbinom(nrow(d), 4, plogis(c(-1, 0, .5, 1.5)[d$site] + effect))
d$second <- rbinom(nrow(d), 4, plogis(c(0, .5, 1, 1.5)[d$site] + effect))
d$code <- ifelse(runif(nrow(d)) < .15, -3, d$answer)
d$code2 <- ifelse(runif(nrow(d)) < .25, -3, d$second)
raw <- runif(nrow(d), .5, 2)
d$weight <- raw / ave(raw, d$site, FUN = mean) * d$fpc / taken[d$site]   # sums to the eligible

of_site <- function(what) do.call(rbind, lapply(1:n_site, function(s) {
  part <- d[d$site == s, ]
  part$y <- part$answer / 4
  part$a <- as.numeric(part$code >= 0); part$ya <- ifelse(part$a == 1, part$code / 4, 0)
  part$b <- as.numeric(part$code2 >= 0); part$yb <- ifelse(part$b == 1, part$code2 / 4, 0)
  r <- what(part)
  data.frame(site = s, estimate = as.numeric(coef(r))[1], std_error = as.numeric(SE(r))[1])
}))

mean_fpc <- of_site(function(p) svymean(~y, svydesign(ids = ~1, data = p, fpc = ~fpc)))
ratio_fpc <- of_site(function(p) svyratio(~ya, ~a, svydesign(ids = ~1, data = p, fpc = ~fpc)))
ratio_weights_fpc <- of_site(function(p) svyratio(~ya, ~a, svydesign(ids = ~1, data = p, weights = ~weight, fpc = ~fpc)))
ratio_weights_clusters <- of_site(function(p) svyratio(~ya, ~a, svydesign(ids = ~cluster, data = p, weights = ~weight)))
mean_weights_clusters <- of_site(function(p) svymean(~y, svydesign(ids = ~cluster, data = p, weights = ~weight)))

# A component of two items: the mean of two ratios of the same files, with their covariance.
component <- do.call(rbind, lapply(1:n_site, function(s) {
  part <- d[d$site == s, ]
  part$a <- as.numeric(part$code >= 0); part$ya <- ifelse(part$a == 1, part$code / 4, 0)
  part$b <- as.numeric(part$code2 >= 0); part$yb <- ifelse(part$b == 1, part$code2 / 4, 0)
  design <- svydesign(ids = ~cluster, data = part, weights = ~weight)
  r <- svycontrast(svytotal(~ya + a + yb + b, design), quote(0.5 * ya / a + 0.5 * yb / b))
  data.frame(site = s, estimate = as.numeric(coef(r)), std_error = as.numeric(SE(r)))
}))

meta <- list(
  r = R.version.string,
  packages = list(survey = as.character(packageVersion("survey")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_survey.R", source = "simulated in the script, set.seed(5118)"
)
keep <- d[, c("site", "cluster", "unit", "fpc", "answer", "code", "code2", "weight")]
writeLines(toJSON(list(meta = meta, files = keep, mean_fpc = mean_fpc, ratio_fpc = ratio_fpc,
                       ratio_weights_fpc = ratio_weights_fpc, ratio_weights_clusters = ratio_weights_clusters,
                       mean_weights_clusters = mean_weights_clusters, component = component),
                  digits = NA, auto_unbox = TRUE, dataframe = "columns", pretty = FALSE), "tests/reference/survey.json")
