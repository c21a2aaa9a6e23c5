"""One file a way of testing a claim; claims.yaml names it as `test: {name: <file>, …}`.

Each file has a frozen dataclass `Test` whose fields are the keys an author may write, with
`DETAILS`, the further numbers it gives, and `decide(evidence) -> Finding`.
"""
