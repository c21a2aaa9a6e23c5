"""One file a way of testing a claim; claims.yaml names it as `test: {name: <file>, …}`.

Each file has a frozen dataclass `Test` whose fields are the keys an author may write, with
`DETAILS`, the further numbers it gives, and `decide(evidence) -> Finding`.

Some keys name the same thing in every test, so that analysis/claims_file.py can look them up before
anything is estimated: *question* of the questionnaire; *variable* of the codebook or a recode of the
plan, with its *codes*; *score* of the plan, with one of its codes as *mode*. A `Mapping[str, Any]` is a
group of respondents: {variable, codes}.
"""
