"""The practice office: small, real servers on loopback for the demo, the tutorial and the tests.

`interoffice.practice.office` starts it, `interoffice.practice.ledger` reads what the ERP really posted,
`interoffice.practice.faults` makes it misbehave. Here stands only what a running project needs to find it: importing
this costs next to nothing.
"""

from interoffice.practice.address import practice_address, practice_certificate

__all__ = ["practice_address", "practice_certificate"]
