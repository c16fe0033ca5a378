# Makes tests/reference/exploratory.json.  From the root of the repository:
#   Rscript tests/reference/make_exploratory.R
# Needs psych, GPArotation, jsonlite.  No network.  Random numbers, seeded: the starts of rotations, of which the least
# criterion is kept, and the replicates of fa.parallel.  MAP with the power four is written here from the formula.
suppressPackageStartupMessages({library(psych); library(GPArotation); library(jsonlite)})

bfi <- na.omit(read.csv("tests/reference/data/bfi.csv")[, 1:25])
scale_of <- function(s, reversed) { x <- bfi[, paste0(s, 1:5)]; x[, reversed] <- 7 - x[, reversed]; x }
tables <- list(
  bfi = list(r = cor(bfi), n = nrow(bfi), m = 5),
  harman74 = list(r = Harman74.cor$cov, n = 145, m = 4),
  ability = list(r = cov2cor(ability.cov$cov), n = 112, m = 2),
  thurstone = list(r = Thurstone, n = 213, m = 3))

quiet <- function(x) suppressWarnings(suppressMessages(x))
start <- function(m) { q <- qr(matrix(rnorm(m * m), m)); qr.Q(q) %*% diag(sign(diag(qr.R(q)))) }
best <- function(rotate, l, starts = 6) {
  made <- lapply(1:starts, function(i) {
    t0 <- if (i == 1) diag(ncol(l)) else start(ncol(l))
    quiet(try(rotate(l, t0), silent = TRUE))
  })
  made <- Filter(function(g) !inherits(g, "try-error"), made)
  made[[which.min(sapply(made, function(g) tail(g$Table[, 2], 1)))]]
}
gp <- function(method, oblique, ...) function(l, t0) {
  if (oblique) GPFoblq(l, Tmat = t0, method = method, eps = 1e-6, maxit = 1000, ...)
  else GPForth(l, Tmat = t0, method = method, eps = 1e-6, maxit = 1000, ...)
}
rotations <- function(l, fm) {
  l <- unclass(l)
  v <- stats::varimax(l, eps = 1e-15)
  # psych's "promax" is kaiser(l, "Promax"), whose varimax stops early: the same steps after an exact varimax
  h <- sqrt(rowSums(l^2)); w <- unclass(stats::varimax(l / h, normalize = FALSE, eps = 1e-15)$loadings)
  q <- w * abs(w)^3; u <- qr.solve(w, q); u <- u %*% diag(sqrt(diag(solve(t(u) %*% u)))); ui <- solve(u)
  psy <- kaiser(l, rotate = "Promax")
  of <- function(g, m) list(loadings = unname(g$loadings[, ]), phi = unname(if (is.null(g$Phi)) diag(m) else g$Phi),
                            criterion = tail(g$Table[, 2], 1))
  m <- ncol(l)
  if (fm != "minres") return(list(oblimin = of(best(gp("quartimin", TRUE), l, 2), m)))
  list(varimax = list(loadings = unname(v$loadings[, ]), phi = diag(m)),
       promax = list(loadings = unname(h * (w %*% u)), phi = unname(ui %*% t(ui)),
                     psych_loadings = unname(psy$loadings[, ]), psych_phi = unname(psy$Phi)),
       oblimin = of(best(gp("quartimin", TRUE), l), m),
       geomin = of(best(gp("geomin", TRUE, methodArgs = list(delta = .01)), l), m),
       bifactor = of(best(gp("bifactor", FALSE), l), m),
       biquartimin = of(best(gp("bifactor", TRUE), l), m))
}
fit <- function(t, fm) {
  f <- quiet(fa(t$r, t$m, n.obs = t$n, fm = fm, rotate = "none", alpha = .05, min.err = 1e-12, max.iter = 20000))
  list(loadings = unname(f$loadings[, ]), uniquenesses = unname(f$uniquenesses), chi_square = f$STATISTIC, df = f$dof,
       p = f$PVAL, rmsea_of_n = f$RMSEA[[1]], ci_low = f$RMSEA[[2]], ci_high = f$RMSEA[[3]], tli = f$TLI, rmsr = f$rms,
       crms = f$crms, bic = f$BIC, rotations = rotations(f$loadings[, ], fm))
}
scores <- function(t) {
  f <- quiet(fa(t$r, t$m, n.obs = t$n, fm = "minres", rotate = "none"))
  o <- GPFoblq(unclass(f$loadings), method = "quartimin", eps = 1e-7, maxit = 2000)
  l <- o$loadings
  w <- function(method) unname(factor.scores(t$r, f = l, Phi = o$Phi, method = method)$weights)
  list(loadings = unname(l[, ]), phi = unname(o$Phi), communalities = unname(f$communality),
       variance = unname(diag(o$Phi %*% t(l) %*% l)), R2 = unname(quiet(fa.stats(t$r, f = l[, ], phi = o$Phi, n.obs = t$n))$R2),
       regression = w("Thurstone"), bartlett = w("Bartlett"), ten_berge = w("tenBerge"))
}
map4 <- function(r) {
  e <- eigen(r); k <- ncol(r)
  sapply(0:(k - 2), function(m) {
    a <- if (m) e$vectors[, 1:m, drop = FALSE] %*% diag(sqrt(e$values[1:m]), m) else matrix(0, k, 1)
    c <- r - a %*% t(a); p <- c / sqrt(outer(diag(c), diag(c))); (sum(p^4) - k) / (k * (k - 1))
  })
}
hierarchy <- function(r, m, n, option = "equal") {
  o <- quiet(omega(r, m, n.obs = n, flip = FALSE, plot = FALSE, option = option, two.ok = TRUE, eps = 1e-9))
  sl <- unclass(o$schmid$sl)
  list(r = unname(r), m = m, n = n, general = unname(sl[, 1]), group = unname(sl[, 1 + 1:m]), higher = c(unname(unclass(o$schmid$gloading))),
       omega_h = o$omega_h, omega_total = o$omega.tot, ecv = o$ECV, of_groups = unname(as.matrix(o$omega.group)))
}
map_of <- function(t) {
  v <- quiet(vss(t$r, n = min(8, ncol(t$r) - 1), n.obs = t$n, plot = FALSE))
  list(power2 = v$map, power4 = map4(t$r))
}
set.seed(20261128)
pearson <- quiet(fa.parallel(bfi, n.iter = 60, plot = FALSE, sim = FALSE))
scree <- lapply(tables, function(t) {
  f <- quiet(fa(t$r, 1, rotate = "none", n.obs = t$n, warnings = FALSE))
  list(components = eigen(t$r)$values, factors = f$values)
})
two <- bfi[, c("N1", "N2", "N3", "N4", "N5")]
three <- cbind(scale_of("C", 4:5), scale_of("E", 1:2), two)
set.seed(1)

out <- list(meta = list(
  R = paste(R.version$major, R.version$minor, sep = "."),
  packages = lapply(c(psych = "psych", GPArotation = "GPArotation", jsonlite = "jsonlite"),
                    function(p) as.character(packageVersion(p))),
  call = "Rscript tests/reference/make_exploratory.R",
  data = list(
    bfi = "tests/reference/data/bfi.csv (psychTools, GPL >= 2), complete rows of 25 items",
    harman74 = "Harman74.cor of R: 24 tests, n = 145. Harman, H. H. (1976), Modern Factor Analysis, 3rd ed., Table 7.4",
    ability = "ability.cov of R: 6 tests, n = 112. Bartholomew, D. J. (1987), Latent Variable Models and Factor Analysis, p. 61",
    thurstone = "Thurstone of psych: 9 tests, n = 213. Thurstone & Thurstone (1941), as in McDonald, R. P. (1999), Test Theory"),
  source = paste("psych::fa, fa.stats, omega, schmid, fa.parallel, vss, KMO, cortest.bartlett, factor.scores, kaiser;",
                 "GPArotation::GPFoblq and GPForth from 6 starts; stats::varimax")),
  matrices = lapply(tables[-1], function(t) list(r = unname(t$r), n = t$n)),
  n = lapply(tables, function(t) t$n), m = lapply(tables, function(t) t$m),
  adequacy = lapply(tables, function(t) { k <- KMO(t$r); b <- cortest.bartlett(t$r, n = t$n)
    list(overall = k$MSA, items = unname(k$MSAi), chi_square = b$chisq, p = b$p.value, df = b$df) }),
  map = lapply(tables, map_of),
  scree = scree,
  parallel = list(components = pearson$pc.values, factors = pearson$fa.values, component_mean = pearson$pc.simr,
                  factor_mean = pearson$fa.simr, n_components = pearson$ncomp, n_factors = pearson$nfact),
  fits = lapply(tables, function(t) list(minres = fit(t, "minres"), ml = fit(t, "ml"), pa = fit(t, "pa"))),
  scores = lapply(tables, scores),
  omega = list(thurstone = hierarchy(Thurstone, 3, 213), bfi = hierarchy(cor(three), 3, nrow(three)),
               two_equal = hierarchy(ability_r <- cov2cor(ability.cov$cov), 2, 112, "equal"),
               two_first = hierarchy(ability_r, 2, 112, "first"), two_second = hierarchy(ability_r, 2, 112, "second")))
write(toJSON(out, digits = NA, auto_unbox = TRUE, na = "null"), "tests/reference/exploratory.json")
