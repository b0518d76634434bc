"""Selectors resolved against live screens: find, fill, read back, commit once, look up.

`open_screens` is the door; it loads the browser library only when a screen is first used.
"""
