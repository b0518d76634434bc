"""`check` finds every mistake of issue 1 in any sample: one message, the right line, a suggestion where one exists."""

from __future__ import annotations

import pytest
from mistakes import MAKERS, Maker, Mistake
from office import ROOT, SAMPLES, check_text, shown

from interoffice.plan.project import Project

FEW = 2


def text_of(sample: str) -> str:
    return (ROOT / "workflows" / f"{sample}.yaml").read_text()


def spread(mistakes: list[Mistake], count: int) -> list[Mistake]:
    """So many of them, from all over the file."""
    step = max(1, len(mistakes) // count)
    return mistakes[::step][:count]


def missed(project: Project, sample: str, mistakes: list[Mistake]) -> list[str]:
    """What the check says of those mistakes that it doesn't find as it should."""
    found = []
    for mistake in mistakes:
        problems = check_text(project, sample, mistake.text)
        is_one = len(problems) == 1 and problems[0].rule in mistake.rules and problems[0].at.line == mistake.line
        if not is_one or (mistake.suggestion or "") not in (problems[0].suggestion or ""):
            line = mistake.text.splitlines()[mistake.line - 1]
            found.append(f"{mistake.what}, line {mistake.line}: {line.strip()}\n{shown(problems) or 'nothing'}")
    return found


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_mistake_of_each_kind_gives_one_message_on_its_line(samples: Project, sample: str) -> None:
    text = text_of(sample)
    few = [mistake for maker in MAKERS for mistake in spread(list(maker(text)), FEW)]
    assert len(few) > 20
    assert missed(samples, sample, few) == []


@pytest.mark.slow
@pytest.mark.parametrize("maker", MAKERS)
def test_every_such_mistake_in_every_sample_gives_one_message(samples: Project, maker: Maker) -> None:
    for sample in SAMPLES:
        assert missed(samples, sample, list(maker(text_of(sample)))) == []


def test_each_kind_of_mistake_occurs_in_some_sample() -> None:
    assert all(any(list(maker(text_of(sample))) for sample in SAMPLES) for maker in MAKERS)
