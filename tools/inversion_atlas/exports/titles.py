"""Which capitals of a title a bibliography style must not lower, and nothing more than those.

Protected are words with a capital after their first letter (GAN, iDLG, DeepInversion), with a capital and a digit
(L2), single capital letters but the article (X in X-ray), names, and the first word after a question or exclamation
mark or a dash set off by spaces. A title all in capitals is not protected: it has no capitals to keep.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

# People, peoples and places that titles of this field name; methods and datasets come from the paper's own record.
NAMES = frozenset(
    """Achilles African American Americans Arabic Asian Bayes Bayesian Bernoulli Bhattacharyya Boltzmann Brownian
    Byzantine Carlo Chebyshev Chernoff Chinese Cramér Dirichlet Dutch English Euclidean European Europe Fed
    Fisher Fourier French Frobenius Gauss Gaussian German Gibbs Gumbel Hadamard Hamming Hausdorff Hebbian
    Hessian Hilbert Internet Italian Jacobian Jaccard Jensen Kalman Kantorovich Krylov Kullback Lagrange
    Lagrangian Langevin Laplace Laplacian Leibler Lipschitz Mahalanobis Markov Markovian Monte Nash Nesterov
    Newton Pandora Pareto Pearson Poisson Python Rademacher Rashomon Rényi Riemannian Shannon Shapley Siamese
    Sinkhorn Sobolev Spanish Stackelberg Sybil Taylor Trojan Turing Wasserstein Wiener Wikipedia""".split()
)
# A letter may bear accents that have no letter of their own with it.
_MARKS = r"\u0300-\u036f"
_LETTERS = rf"[^\W_](?:[^\W_]|[{_MARKS}])*"
_WORD = rf"{_LETTERS}(?:['’.&+]{_LETTERS})*\+*"
_ACCENTS = re.compile(f"[{_MARKS}]")
_COMPOUND = re.compile(rf"{_WORD}(?:[-‐‑–/]{_WORD})*")
_PART = re.compile(_WORD)
_NEW_SENTENCE = re.compile(r"[?!]['’”\")]?\s+[‘“\"(]?$|(?:—|\s–)\s*$")
_DIVIDERS = frozenset("?!—–")
_SUBTITLE = re.compile(r":\s+[‘“\"(]?$")


def protect(title: str, escape: Callable[[str], str], names: Collection[str] = (), subtitle: bool = False) -> str:
    """Return `title` escaped, with braces around what must keep its capitals.

    BibTeX itself keeps the capital after a colon; `subtitle` protects it for styles that do not.
    """
    if _shouts(title):
        return escape(title)
    pieces, at = [], 0
    # Most words need no second look: all in lower case, or in a title that no mark divides.
    divided = not _DIVIDERS.isdisjoint(title)
    for found in _COMPOUND.finditer(title):
        if found[0].islower():
            continue
        before = title[: found.start()] if divided or subtitle else ""
        opens = bool(before) and bool(_NEW_SENTENCE.search(before) or (subtitle and _SUBTITLE.search(before)))
        compound = _protected_compound(found[0], names, opens)
        if compound:
            pieces += [(title[at : found.start()], False), *compound]
            at = found.end()
    pieces.append((title[at:], False))
    return _assembled(pieces, escape)


def _assembled(pieces: list[tuple[str, bool]], escape: Callable[[str], str]) -> str:
    # A space at the edge of a piece would be stripped by `escape`; it is put back outside the braces.
    parts = []
    for text, protected in pieces:
        core = text.strip(" ")
        lead = " " if text.startswith(" ") else ""
        trail = " " if core and text.endswith(" ") else ""
        escaped = escape(core)
        parts.append(f"{{{escaped}}}" if protected and escaped else f"{lead}{escaped}{trail}")
    return re.sub(" {2,}", " ", "".join(parts)).strip()


def _protected_compound(compound: str, names: Collection[str], opens: bool) -> list[tuple[str, bool]]:
    """Return the pieces of a hyphenated word and whether each is protected; nothing if none is."""
    parts = list(_PART.finditer(compound))
    needed = [_needs(part[0], names, len(parts) > 1) for part in parts]
    if opens and compound[0].isupper():
        needed[0] = True
    if not any(needed):
        return []
    if all(need or not any(map(str.isalpha, part[0])) for need, part in zip(needed, parts, strict=True)):
        return [(compound, True)]
    pieces, at = [], 0
    for need, part in zip(needed, parts, strict=True):
        pieces += [(compound[at : part.start()], False), (part[0], need)]
        at = part.end()
    return pieces


def _needs(word: str, names: Collection[str], compound: bool) -> bool:
    word = _ACCENTS.sub("", word)
    if not word[1:].islower() and any(map(str.isupper, word[1:])):
        return True
    if not word[0].isupper():
        return False
    if len(word) == 1:
        return compound or word != "A"
    return any(map(str.isdigit, word)) or _stem(word) in NAMES or word in names


def _stem(word: str) -> str:
    return re.sub(r"['’]s$", "", word)


def _shouts(title: str) -> bool:
    return not any(map(str.islower, title)) and len(title.split()) > 3
