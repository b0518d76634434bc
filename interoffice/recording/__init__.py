"""Recording: what a person does in a browser becomes screens, elements and a workflow, as YAML.

Events of the page (listening) become a Recording (recorded), the person's four answers complete it (questions), and it
is written as YAML (writing). Only `listening` needs a browser.
"""
