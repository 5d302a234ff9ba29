"""What is said when a format needs a package that is not installed."""

from __future__ import annotations


class MissingPackageError(Exception):
    """A format needs one of the extras that atlas is installed without."""

    def __init__(self, format: str, extra: str) -> None:
        super().__init__(f"{format} needs more packages: pip install inversion-atlas[{extra}]")
