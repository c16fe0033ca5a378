# Makes tests/reference/generalizability.json and tests/reference/data/fidelity_ratings.csv.  From the root of the
# repository:
#   Rscript tests/reference/make_generalizability.R
# Needs lme4, jsonlite.  No network.  Three audits are drawn here, seeded: sites of unequal numbers of files and
# raters, raters that read in several sites or in one, assessors of files, holes, and some ratings made twice.
suppressPackageStartupMessages({library(lme4); library(jsonlite)})
set.seed(2016)

draw <- function(name, sites, files, items, raters, sd, twice) {
  rows <- list()
  for (s in seq_len(sites)) {
    readers <- sample(raters, sample(1:3, 1, prob = c(.2, .6, .2)))
    if (s == sites) readers <- c(readers, raters + 1)        # a rater of this site alone
    for (f in seq_len(sample(files, 1))) for (r in sample(readers, min(length(readers), sample(2, 1, prob = c(.3, .7)))))
      rows[[length(rows) + 1]] <- data.frame(site = s, assessor = f %% 3, file = f, rater = r, item = seq_len(items))
  }
  d <- do.call(rbind, rows)
  d <- d[runif(nrow(d)) > .2, ]
  d <- rbind(d, d[runif(nrow(d)) < twice, ])
  of <- function(...) { g <- as.integer(interaction(..., drop = TRUE)); rnorm(max(g))[g] }
  with(d, {
    y <- sd[["item"]] * of(item) + sd[["site"]] * of(site) + sd[["site_item"]] * of(site, item) +
      sd[["assessor"]] * of(site, assessor) + sd[["file"]] * of(site, file) + sd[["file_item"]] * of(site, file, item) +
      sd[["rater"]] * of(rater) + sd[["rater_item"]] * of(rater, item) + sd[["rater_file"]] * of(rater, site, file) +
      sd[["rater_site"]] * of(rater, site) + rnorm(nrow(d)) + 10
    cbind(audit = name, d, y = round(y, 3))
  })
}
sd <- c(item = .8, site = .6, site_item = .4, assessor = .4, file = .5, file_item = .5, rater = .4, rater_item = .4,
        rater_file = .4, rater_site = .3)
audits <- rbind(draw("small", 8, 4:7, 5, 4, sd, 0), draw("medium", 12, 3:10, 6, 5, sd, .1),
                draw("large", 20, 2:12, 7, 6, replace(sd, c("rater_file", "rater"), c(.25, .6)), 0))
write.csv(audits, "tests/reference/data/fidelity_ratings.csv", row.names = FALSE, quote = FALSE)

group <- c(site = "site", site_item = "site:item", assessor = "site:assessor", file = "site:file",
           file_item = "site:file:item", rater = "rater", rater_item = "rater:item", rater_file = "rater:site:file",
           rater_site = "rater:site", item = "item")
fit <- function(name, items, terms) {
  d <- audits[audits$audit == name, ]
  for (v in c("site", "assessor", "file", "rater", "item")) d[[v]] <- factor(d[[v]])
  key <- function(t) interaction(d[strsplit(group[[t]], ":")[[1]]], drop = TRUE)
  for (t in terms) d[[paste0("g_", t)]] <- key(t)
  formula <- reformulate(c(if (items == "fixed") "0 + item" else "1", sprintf("(1 | g_%s)", terms)), "y")
  made <- lmer(formula, d, REML = TRUE, control = lmerControl(optimizer = "bobyqa", calc.derivs = FALSE,
               optCtrl = list(rhoend = 1e-9, maxfun = 1e5), check.nobs.vs.nlev = "ignore"))
  v <- as.data.frame(VarCorr(made))
  list(audit = name, items = items, terms = I(terms), n = nrow(d), criterion = REMLcrit(made),
       components = as.list(setNames(v$vcov, sub("g_", "", sub("Residual", "residual", v$grp)))),
       means = I(unname(fixef(made))))
}
within <- c("site", "site_item", "file", "file_item", "rater", "rater_item", "rater_file")
models <- list(
  fit("small", "fixed", within), fit("small", "fixed", c("site", "file", "rater")),
  fit("small", "random", c(within, "item")),
  fit("medium", "fixed", c(within, "assessor")), fit("medium", "fixed", c(within, "rater_site")),
  fit("medium", "random", c(within, "assessor", "item")), fit("medium", "random", c("site", "file", "item")),
  fit("large", "fixed", within), fit("large", "fixed", c("site", "site_item", "file", "file_item")),
  fit("large", "random", c(within, "assessor", "rater_site", "item")))
out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = list(lme4 = as.character(packageVersion("lme4")), jsonlite = as.character(packageVersion("jsonlite"))),
  call = "Rscript tests/reference/make_generalizability.R",
  data = "tests/reference/data/fidelity_ratings.csv, drawn in the script, set.seed(2016)"),
  source = "lme4::lmer, REML, bobyqa to 1e-9", models = models)
write(toJSON(out, digits = NA, auto_unbox = TRUE, pretty = TRUE, na = "null"), "tests/reference/generalizability.json")
