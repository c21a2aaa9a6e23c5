# Recomputes the main numbers of the simulated study with R's survey package: an independent program on the same answers.
#
#   Rscript study.R study.csv study.json
#
# study.csv holds one row a response (tests/validation/export.py writes it from an extract); an empty field is a missing
# answer. Organisations are the PSUs. Per respondent every answer weighs 1, per organisation 1 / its valid respondents.
suppressPackageStartupMessages(library(survey))
options(survey.lonely.psu = "fail", digits = 15)

files <- commandArgs(trailingOnly = TRUE)
x <- read.csv(files[1], stringsAsFactors = FALSE, na.strings = "")

modes <- c("PROD", "DEV", "CUST", "PUB")
chosen <- paste0("OM_B01_", c(modes, "OTHER"))
x <- x[!is.na(x$BG01) & rowSums(!is.na(x[chosen])) > 0, ]          # who counts as a respondent

main <- c(COMP = "company", PUBC = "company", COOP = "company", MUNI = "public", JMA = "public", WELL = "public",
          STATE = "public", OPUB = "public", NGO = "third_sector", CHUR = "third_sector")
x$org3 <- unname(main[x$BG10])
x$total <- "total"
x$respondent <- 1
x$organisation_share <- 1 / ave(rep(1, nrow(x)), x$organisation, FUN = sum)
levels_ <- x[paste0("OM_B02_", modes)]
x$two_central <- ifelse(rowSums(is.na(levels_)) > 0, NA, as.numeric(rowSums(levels_ == 3) >= 2))
for (m in modes) {
  x[[paste0("selected_", m)]] <- x[[paste0("OM_B01_", m)]]
  x[[paste0("central_", m)]] <- as.numeric(x[[paste0("OM_B02_", m)]] == 3)
  x[[paste0("mean100_", m)]] <- x[[paste0("OM_B02_", m)]] / 3 * 100
}

one <- function(design, name, banner, group, share) {
  s <- subset(design, !is.na(design$variables[[name]]) & design$variables[[banner]] %in% group)
  if (nrow(s$variables) == 0) return(NULL)
  f <- as.formula(paste0("~", name))
  m <- svymean(f, s, deff = "replace")
  df <- degf(s)
  p <- as.vector(coef(m))
  ci <- c(NA, NA)
  if (share) {
    if (p > 0 && p < 1) ci <- as.vector(attr(svyciprop(f, s, method = "logit"), "ci"))
  } else {
    # 0 to 100: on the logit scale, so that the interval keeps within the scale
    hundredth <- as.formula(paste0("~I(", name, "/100)"))
    if (p > 0 && p < 100) ci <- 100 * as.vector(attr(svyciprop(hundredth, s, method = "xlogit", df = df), "ci"))
  }
  c(p, as.vector(SE(m)), ci, df, nrow(s$variables), as.vector(deff(m)))
}

number <- function(v) ifelse(is.na(v), "null", trimws(formatC(v, digits = 15, format = "g")))
rows <- character(0)
weights <- c(respondent = "respondent", organisation = "organisation_share")
for (estimand in names(weights)) {
  design <- svydesign(id = ~organisation, weights = as.formula(paste0("~", weights[[estimand]])), data = x)
  names_ <- c(outer(c("selected", "central", "mean100"), modes, paste, sep = "_"), "two_central")
  for (name in names_) for (banner in c("total", "org3", "BG10")) for (group in sort(unique(x[[banner]]))) {
    r <- one(design, name, banner, group, !startsWith(name, "mean100"))
    if (is.null(r)) next
    rows <- c(rows, sprintf('  {"estimand": "%s", "number": "%s", "banner": "%s", "group": "%s", "values": [%s]}',
                            estimand, name, banner, group, paste(number(r), collapse = ", ")))
  }
}

# Every mode's centrality against who answers: the second-order Rao-Scott F among those with an answer.
x$role2 <- ifelse(x$BG01 == "TOP", "top", "other")
tests <- character(0)
for (estimand in names(weights)) {
  design <- svydesign(id = ~organisation, weights = as.formula(paste0("~", weights[[estimand]])), data = x)
  for (variable in names(levels_)) for (banner in c("org3", "role2")) {
    asked <- subset(design, !is.na(design$variables[[variable]]) & !is.na(design$variables[[banner]]))
    t <- svychisq(as.formula(paste0("~", variable, "+", banner)), asked, statistic = "F")
    r <- c(t$statistic, t$parameter, t$p.value, nrow(asked$variables))
    tests <- c(tests, sprintf('  {"estimand": "%s", "variable": "%s", "banner": "%s", "values": [%s]}',
                              estimand, variable, banner, paste(number(r), collapse = ", ")))
  }
}
columns <- '["estimate", "se", "ci_low", "ci_high", "df", "base_n", "deff"]'
cat(sprintf('{"respondents": %d, "organisations": %d, "columns": %s, "rows": [\n%s\n],\n"tests": [\n%s\n]}\n',
            nrow(x), length(unique(x$organisation)), columns, paste(rows, collapse = ",\n"),
            paste(tests, collapse = ",\n")), file = files[2])
