# A generator of audits written in R, independent of ibic_fidelity.studies. From the root of the repository:
#   Rscript tests/reference/make_generator.R
# Writes tests/reference/data/generator.csv, answers to the small instrument of tests/instruments/mini in the package's
# own form, and tests/reference/generator.json, the planted way of working of every site with what was planted.
#
# A site has a level p for each item (three in ten at the ceiling, .95 and up). An assessor's level is Beta(p nu,
# (1 - p) nu), whose mean is p, with one draw for all items, so that an assessor who does well does so throughout; its
# share of the variance is .10. A rater answers yes where a uniform of the file and item is below
# q + 4 d q (1 - q), q being the assessor's level and d the rater's severity, which over raters has mean 0: so the
# expected answer over assessors and raters is p, and two raters of a file differ by their severity alone. A fifth of
# the files are rated twice. One item does not apply to 15 % of files, a part of the checklist not to 20 %, and 3 % of
# answers are blank.
suppressMessages(library(jsonlite))
set.seed(7741)

n_site <- 120; n_assessor <- 5; n_file <- 4; n_rater <- 12
share <- .10; nu <- 1 / share - 1; rater_sd <- .06
severity <- as.vector(scale(rnorm(n_rater))) * rater_sd

p <- ifelse(runif(n_site) < .3, runif(n_site, .95, .99), rbeta(n_site, 4, 2.5))
level <- cbind(a1 = p, a2 = p^.7, a3 = p^1.4)         # a2 is asked the other way round: yes is bad

rows <- list()
for (s in 1:n_site) {
  raters <- sample(n_rater, 4)
  for (h in 1:n_assessor) {
    luck <- runif(1)
    q <- qbeta(luck, level[s, ] * nu, (1 - level[s, ]) * nu)
    for (f in 1:n_file) {
      u <- runif(5)
      hole <- c(runif(1) < .15, FALSE, runif(3) < .20)
      blank <- runif(5) < .03
      who <- sample(raters, if (runif(1) < .20) 2 else 1)
      for (r in who) {
        seen <- (q + 4 * severity[r] * q * (1 - q))[c(1, 2, 3, 3, 3)]
        answer <- as.integer(u < seen)
        answer[2] <- 1 - answer[2]
        answer[hole] <- 9
        code <- ifelse(blank, "", as.character(answer))
        rows[[length(rows) + 1]] <- c(sprintf("%04d", s), sprintf("u%04d-%d-%d", s, h, f), sprintf("h%04d-%d", s, h),
                                      sprintf("g%02d", r), code)
      }
    }
  }
}
table <- as.data.frame(do.call(rbind, rows))
names(table) <- c("site", "unit", "cluster", "rater", "a1", "a2", "a3a", "a3b", "a3c")
table <- cbind(source = "files", table, synthetic = "ja")
write.table(table, "tests/reference/data/generator.csv", sep = ";", quote = FALSE, row.names = FALSE, eol = "\n")

truth <- data.frame(site = sprintf("%04d", 1:n_site), level, a = rowMeans(level))
meta <- list(
  r = R.version.string, packages = list(jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_generator.R", source = "simulated in the script, set.seed(7741)"
)
planted <- list(assessor_share = share, rater_sd = rater_sd, severity = severity)
writeLines(toJSON(list(meta = meta, planted = planted, truth = truth), digits = NA, auto_unbox = TRUE,
                  dataframe = "columns", pretty = FALSE), "tests/reference/generator.json")
