"""What the check knows of a workflow's outputs before the run: the columns of results even where there are none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from interoffice.model.types import Type
from interoffice.model.workflow import Workflow
from interoffice.plan.check_workflow import read_workflow
from interoffice.plan.checking import Checking
from interoffice.plan.project import Project


class _Of:
    """A workflow of a project as a key of a cache: by what they are, not by their content."""

    def __init__(self, project: Project, workflow: Workflow) -> None:
        self.project = project
        self.workflow = workflow

    def __hash__(self) -> int:
        return hash((id(self.project), id(self.workflow)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Of) and self.workflow is other.workflow and self.project is other.project


def columns_known(project: Project, workflow: Workflow, step_id: str, output: str) -> Mapping[str, Type]:
    """The columns of a step's table as the check worked them out; nothing where they can't be known."""
    known = _facts(_Of(project, workflow)).get(step_id, {}).get(output)
    return dict(known.columns or {}) if known is not None and known.kind == "table" else {}


@lru_cache(maxsize=64)
def _facts(of: _Of) -> Mapping[str, Mapping[str, Type]]:
    checking = Checking(
        project=of.project,
        workflow=of.workflow,
        is_quiet=True,
        read_workflow=read_workflow,
        chain=(of.workflow.key,),
    )
    read_workflow(checking, {})
    facts = checking.facts.items()
    return {step_id: {name: known.type for name, known in one.outputs.items()} for step_id, one in facts}
