"""Names against sanctions and PEP lists: reading what the publishers publish, folding names, comparing them.

    lists.py      the entries of a list, in the formats of OFAC, the EU, the UN, and our own
    names.py      a name as it is compared: Latin letters, no accents, words in order of the alphabet
    matching.py   all names against all lists, fast first and careful then
"""
