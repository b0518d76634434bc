"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, None when none is near."""
    names = list(known)
    folded = {name.casefold().replace("_", ""): name for name in names}
    same = folded.get(word.casefold().replace("_", ""))
    if same is not None:
        return same
    from rapidfuzz import process
    from rapidfuzz.distance import DamerauLevenshtein

    found = process.extractOne(word, names, scorer=DamerauLevenshtein.normalized_similarity, score_cutoff=0.6)
    return None if found is None else found[0]
