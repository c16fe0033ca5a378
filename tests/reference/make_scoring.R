# Fixture of the scoring tests. From the root of the repository:
#   Rscript tests/reference/make_scoring.R
# Wilson's interval by prop.test, the linearised standard error of a ratio under clusters by survey, and the
# sums of squares of files nested under assessors by aov. Data are made here, seeded, and stored with the results.
suppressMessages({library(survey); library(jsonlite)})
set.seed(20201)

wilson <- do.call(rbind, lapply(list(c(0, 10), c(8, 10), c(16, 20), c(24, 30), c(40, 50), c(30, 30), c(1, 7)), function(p) {
  ci <- suppressWarnings(prop.test(p[1], p[2], correct = FALSE, conf.level = .95))$conf.int
  data.frame(x = p[1], n = p[2], low = ci[1], high = ci[2])
}))

n_site <- 4; n_assessor <- 5; n_file <- 8
d <- expand.grid(file = 1:n_file, assessor = 1:n_assessor, site = 1:n_site)
d$cluster <- paste0("s", d$site, "-", d$assessor)
d$unit <- sprintf("u%03d", seq_len(nrow(d)))
effect <- rnorm(n_site * n_assessor, 0, .6)[(d$site - 1) * n_assessor + d$assessor]
d$answer <- rbinom(nrow(d), 4, plogis(c(-1, 0, .5, 1.5)[d$site] + effect))
d$code <- ifelse(runif(nrow(d)) < .15, -1, d$answer)

ratio <- do.call(rbind, lapply(1:n_site, function(s) {
  part <- d[d$site == s, ]
  part$a <- as.numeric(part$code >= 0)
  part$y <- ifelse(part$a == 1, part$code / 4, 0)
  design <- svydesign(ids = ~cluster, data = part, weights = ~1)
  r <- svyratio(~y, ~a, design)
  data.frame(site = s, estimate = coef(r)[[1]], std_error = SE(r)[[1]])
}))

nested <- do.call(rbind, lapply(1:n_site, function(s) {
  part <- d[d$site == s, ]
  table <- summary(aov(I(answer / 4) ~ factor(assessor), data = part))[[1]]
  data.frame(site = s, between = table[["Sum Sq"]][1], within = table[["Sum Sq"]][2])
}))

meta <- list(
  r = R.version.string,
  packages = list(survey = as.character(packageVersion("survey")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_scoring.R",
  source = "simulated in the script, set.seed(20201); prop.test and aov are of package stats"
)
writeLines(toJSON(list(meta = meta, wilson = wilson, files = d[, c("site", "cluster", "unit", "answer", "code")],
                       ratio = ratio, nested = nested), digits = NA, auto_unbox = TRUE, dataframe = "columns", pretty = FALSE),
           "tests/reference/scoring.json")
