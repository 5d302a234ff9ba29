"""What defenses reached when measured, as the table of docs/reference.md; run as a module, it prints it."""

from __future__ import annotations

from inversion_atlas.reference.index import IMPLEMENTATIONS, Implementation, MeasuredDefense

_HEAD = "| defense | against | with it | without | no signal |\n| --- | --- | --- | --- | --- |\n"


def defenses_table() -> str:
    """Return a Markdown table with a row for each result of `atlas bench --defenses`."""
    measured = ((found, each) for found in IMPLEMENTATIONS for each in found.measured)
    return _HEAD + "".join(_row(found, each) for found, each in measured if isinstance(each, MeasuredDefense))


def _row(found: Implementation, each: MeasuredDefense) -> str:
    # A cost has no attack; several rows of one defense differ in its number, which the setting tells.
    against = f"`{each.attack}`" if each.attack else "its accuracy"
    unit = f" {each.unit}" if each.unit else ""
    name = f"`{found.name}`{_number_of(found, each)}"
    return f"| {name} | {against} | {each.value:.3g}{unit} | {each.undefended:.3g} | {each.baseline:.3g} |\n"


def _number_of(found: Implementation, each: MeasuredDefense) -> str:
    alike = [other for other in found.measured if isinstance(other, MeasuredDefense) and other.attack == each.attack]
    return f", {each.setting.rpartition(' under ')[2].partition(',')[0]}" if len(alike) > 1 else ""


if __name__ == "__main__":
    print(defenses_table(), end="")
