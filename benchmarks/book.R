# Rscript book.R FILE.csv: one question by three banners as R survey makes them; prints version, tables, seconds.
suppressPackageStartupMessages(library(survey))
d <- read.csv(commandArgs(TRUE)[1], colClasses = "numeric")
d$q00 <- factor(d$q00)
for (banner in c("seg", "role", "size")) d[[banner]] <- factor(d[[banner]])
design <- svydesign(id = ~organisation, strata = ~stratum, weights = ~weight, data = d, nest = TRUE)
began <- proc.time()[["elapsed"]]
for (banner in c("seg", "role", "size")) {
  by <- as.formula(paste0("~", banner))
  both <- as.formula(paste0("~q00+", banner))
  svytable(both, design)
  svyby(~q00, by, design, svymean)
  svychisq(both, design, statistic = "F")
}
cat(as.character(packageVersion("survey")), 3, proc.time()[["elapsed"]] - began, "\n")
