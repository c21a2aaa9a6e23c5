# Runs the R call of a reference case and writes what R returns into the case, as `expected`:
#   Rscript tests/validation/recompute.R tests/validation/data/two_stage__fpc.json
# For the cases of our own; those of the reference collection came with their numbers.
library(survey)
options(survey.use_rcpp = FALSE, warn = 2)
file <- commandArgs(TRUE)[1]
case <- jsonlite::fromJSON(file, simplifyVector = TRUE)
rd <- function(name) read.csv(file.path(dirname(file), name), stringsAsFactors = FALSE)

plain <- function(x) {
  if (is.list(x)) return(lapply(x, plain))
  if (is.matrix(x)) return(lapply(seq_len(nrow(x)), function(i) I(as.vector(x[i, ]))))
  if (!is.null(names(x))) return(as.list(setNames(as.vector(x), names(x))))
  as.vector(x)
}
case$expected <- plain(eval(parse(text = paste(case$r_call, collapse = "\n"))))
case$inputs <- I(case$inputs)
case$r_call <- I(case$r_call)
case$versions <- list(R = R.version.string, survey = as.character(packageVersion("survey")))
json <- jsonlite::toJSON(case, digits = 15, auto_unbox = TRUE, na = "null", null = "null", pretty = TRUE)
writeLines(json, file)
