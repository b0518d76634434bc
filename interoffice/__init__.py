"""Interoffice: robotic process automation that posts once, checks in the middle office, and explains itself."""

__version__ = "0.1.0"
