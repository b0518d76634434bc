"""YAML text of a project -> frozen descriptions; every mistake at once, each with its place and a suggestion."""
