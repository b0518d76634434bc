"""Workflow, registry, selectors, tables and inputs -> plan: what a workflow means is checked, and a run is fixed.

project.open_project(folder)                    the files of a project, each read when it is asked for
check_workflow.check_workflow(project, ...)     every mistake in what a workflow means
check_project.check_project(project, only)      every mistake of all files, or of some
making.make_plan(project, key, inputs, ...)     the plan of a run, or a refusal
plan.Plan, plan.RunOptions, plan.describe       the plan itself
"""
