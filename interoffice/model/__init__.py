"""Frozen, validated descriptions: what the files of a project say, and what runs and work items are."""
