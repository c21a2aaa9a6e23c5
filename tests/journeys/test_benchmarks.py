from __future__ import annotations

import pytest

from benchmarks.contenders import CONTENDERS, SERVERS
from benchmarks.interviews import measure


@pytest.mark.parametrize("server", sorted(SERVERS))
@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_what_is_compared_is_the_same_interview_and_none_of_its_answers_is_lost(contender, server):
    run = measure(contender, SERVERS[server], respondents=2, interviews=6, mark="test")
    assert (run.lost, run.errors) == (0, 0)
    # introduction, start, three pages with their answers, check, submit, thank-you; each post followed by its page
    assert run.requests == 11
