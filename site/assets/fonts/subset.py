"""Makes the fonts beside this file from Adobe's: three parts each, fewer weights, another name (see LICENSES.txt).

python subset.py FOLDER      (FOLDER: where the npm packages named in LICENSES.txt are unpacked; needs fonttools)
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FONTS = {
    "Atlas Sans": ("source-sans/VF/SourceSans3VF-Upright.ttf", {"wght": (400, 600)}),
    "Atlas Serif": ("source-serif/VAR/SourceSerif4Variable-Roman.ttf", {"wght": 540, "opsz": 20}),
}
ENGLISH = (
    "20-7E,A0,A7,AB,B0,B1,B7,BB,D7,2010-2015,2018-201E,2020-2022,2026,2032,2033,2039,203A,2190-2193,2212,2248,2260,2264,"
    "2265,221E"
)
WESTERN = "A1-A6,A8-AA,AC-AF,B2-B6,B8-BA,BC-D6,D8-FF,131,152,153,2BC,2C6,2DC,20AC,2122,25CB,25CF,2713,FFFD"
EUROPE = "100-130,132-151,154-17F,218-21B,2C7,2D8-2DB,2DD"
REST = (
    "18F,192,1A0,1A1,1AF,1B0,1CD-1DC,1E6,1E7,237,259,2BB,300-304,306-30C,31B,323,326-328,391-3A9,3B1-3C9,1E80-1E85,1E9E,"
    "1EA0-1EF9"
)
# The same ranges stand as unicode-range in atlas.css. Names are set in the sans and have western letters on most pages;
# titles are set in the serif and have few.
PARTS = {
    "Atlas Sans": {"core": f"{ENGLISH},{WESTERN}", "more": EUROPE, "rest": REST},
    "Atlas Serif": {"core": ENGLISH, "more": f"{WESTERN},{EUROPE}", "rest": REST},
}
FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "tnum", "lnum", "liga"]
# Copyright, style, version, license and its address are kept as they are; the rest of the names go or change.
KEPT, NAMED = {0, 2, 5, 13, 14}, {1, 3, 4, 6}


def main(folder: Path) -> None:
    for name, (path, limits) in FONTS.items():
        for part, ranges in PARTS[name].items():
            font = narrowed(folder / path, limits)
            options = subset.Options()
            options.hinting, options.layout_features, options.name_IDs = False, FEATURES, ["*"]
            cutter = subset.Subsetter(options)
            cutter.populate(unicodes=subset.parse_unicodes(ranges))
            cutter.subset(font)
            rename(font, name)
            font.flavor = "woff2"
            font.save(Path(__file__).with_name(f"{name.lower().replace(' ', '-')}-{part}.woff2"))


def narrowed(path: Path, limits: dict[str, object]) -> TTFont:
    """Return a variable font with its axes limited, read anew so that its tables agree."""
    written = io.BytesIO()
    instantiateVariableFont(TTFont(path, recalcTimestamp=False), limits).save(written)
    written.seek(0)
    return TTFont(written, recalcTimestamp=False)


def rename(font: TTFont, name: str) -> None:
    """Give a font its own name: the license reserves the original's for unchanged copies."""
    for record in list(font["name"].names):
        if record.nameID in NAMED:
            record.string = name.replace(" ", "") if record.nameID == 6 else name
        elif record.nameID not in KEPT:
            font["name"].names.remove(record)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
