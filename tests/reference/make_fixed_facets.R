# Variance components with two fixed facets: source and item, respondents nested in site and source.
# Rscript tests/reference/make_fixed_facets.R   (from the root; R 4.2, lme4 and jsonlite of Debian)
suppressMessages({library(lme4); library(jsonlite)})
set.seed(71)
d <- expand.grid(item = 1:3, unit = 1:6, source = 1:2, site = 1:14)
u <- function(...) as.integer(interaction(..., drop = TRUE))
effect <- function(key, sd) rnorm(max(key), 0, sd)[key]
d$y <- with(d, 2 + 0.3 * item - 0.4 * (source == 2) * item + effect(site, 0.6) + effect(u(site, source), 0.4) +
  effect(u(site, item), 0.3) + effect(u(site, source, item), 0.25) + effect(u(site, source, unit), 0.5) +
  rnorm(nrow(d), 0, 0.8))
d$y <- round(d$y, 4)
d <- d[runif(nrow(d)) > 0.15, ]
f <- lmer(y ~ factor(item) * factor(source) + (1 | site) + (1 | site:source) + (1 | site:item) +
  (1 | site:source:item) + (1 | site:source:unit), d, control = lmerControl(optCtrl = list(ftol_abs = 1e-12)))
v <- as.data.frame(VarCorr(f))
out <- list(
  meta = list(R = R.version.string, packages = list(lme4 = as.character(packageVersion("lme4"))),
    call = deparse1(formula(f)), data = "seeded: set.seed(71)"),
  data = list(site = d$site, source = d$source, unit = d$unit, item = d$item, y = d$y),
  components = setNames(as.list(v$vcov), v$grp), criterion = as.numeric(REMLcrit(f)))
write(toJSON(out, digits = 12, auto_unbox = TRUE), "tests/reference/fixed_facets.json")
