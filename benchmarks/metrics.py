"""How fast our image metrics are beside torchmetrics, piq, scikit-image and pytorch-fid, timed in turns in one process.

python benchmarks/metrics.py [--only ssim,fid] [--libraries FOLDER] [--save]

Prints a table beside the committed figures (benchmarks/metrics.json); --save replaces those that were measured.
Figures are CPU milliseconds of one thread, the median of several runs, float32 for images and float64 for features;
ratio is ours over the fastest other. piq and pytorch-fid need torchvision and are no dependencies: give the folder
that holds them (`pip install --no-deps --target FOLDER piq pytorch-fid torchvision`); what cannot be imported is left
out. Always ends with exit code 0.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import random
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from skimage import data
from skimage import metrics as skimage
from torchmetrics.functional import image as torchmetrics
from torchmetrics.image.fid import _compute_fid

from inversion_atlas.reference import metrics as ours

COMMITTED = Path(__file__).with_suffix(".json")
UNIT = (0.0, 1.0)
IMAGES = {"64x3x64x64": (64, 64), "1x3x256x256": (1, 256), "64x3x256x256": (64, 256)}
FEATURES = {"64x768": (64, 768), "64x2048": (64, 2048), "1000x256": (1000, 256)}
# Roots of matrices that wide take these minutes.
TOO_WIDE, SLOW_THERE = 1000, ("piq", "pytorch-fid")
# All are timed in turns until this many CPU seconds are spent on each, at least three times; what takes longer, once.
SECONDS, RUNS = 2.0, 3

Job = Callable[[], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="psnr,ssim,ms_ssim,fsim,fid", help="metrics, joined by commas")
    parser.add_argument("--libraries", type=Path, help="folder that holds piq, pytorch-fid and torchvision")
    parser.add_argument("--save", action="store_true", help="write the figures to benchmarks/metrics.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if options.libraries:
        declare_operators(options.libraries)
    piq, pytorch_fid = imported("piq"), imported("pytorch_fid.fid_score")
    figures = []
    for name in options.only.split(","):
        for size, jobs in all_jobs(name, piq, pytorch_fid):
            print(f"measuring: {name}, {size}", file=sys.stderr)
            figures.append(figure(name, size, measure(jobs)))
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else []
    report(figures, committed)
    if options.save:
        measured = {(entry["metric"], entry["size"]): entry for entry in [*committed, *figures]}
        COMMITTED.write_text(json.dumps(list(measured.values()), indent=2) + "\n")


def declare_operators(folder: Path) -> None:
    """Make torchvision importable beside a torch that its extension was not built for; its operators stay unusable."""
    sys.path.append(str(folder))
    registrations = folder / "torchvision" / "_meta_registrations.py"
    if not registrations.exists():
        return
    text = registrations.read_text()
    names = set(re.findall(r'(?:register_fake\("torchvision::|register_meta\(")(\w+)', text))
    library = torch.library.Library("torchvision", "DEF")
    for name in names:
        library.define(f"{name}(Tensor a) -> Tensor")
    # It must outlive the import.
    declare_operators.library = library  # type: ignore[attr-defined]


def imported(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except (ImportError, RuntimeError) as error:
        print(f"left out: {name} ({error})", file=sys.stderr)
        return None


def all_jobs(name: str, piq: ModuleType | None, pytorch_fid: ModuleType | None) -> list[tuple[str, dict[str, Job]]]:
    """Return, per size, what computes the metric, by library."""
    if name == "fid":
        return [(size, fid_jobs(*shape, piq, pytorch_fid)) for size, shape in FEATURES.items()]
    sizes = {size: shape for size, shape in IMAGES.items() if name != "ms_ssim" or shape[1] >= 161}
    return [(size, image_jobs(name, *shape, piq)) for size, shape in sizes.items()]


def image_jobs(name: str, number: int, side: int, piq: ModuleType | None) -> dict[str, Job]:
    given, true = pair(number, side)
    jobs: dict[str, Job] = {"ours": lambda: getattr(ours, name)(given, true, data_range=UNIT)}
    theirs: dict[str, Job] = {
        "psnr": lambda: torchmetrics.peak_signal_noise_ratio(
            given, true, data_range=1.0, reduction="none", dim=(1, 2, 3)
        ),
        "ssim": lambda: torchmetrics.structural_similarity_index_measure(given, true, data_range=1.0, reduction="none"),
        "ms_ssim": lambda: torchmetrics.multiscale_structural_similarity_index_measure(given, true, data_range=1.0),
    }
    if name in theirs:
        jobs["torchmetrics"] = theirs[name]
    if piq:
        options = {"chromatic": False} if name == "fsim" else {}
        function = getattr(piq, {"ms_ssim": "multi_scale_ssim"}.get(name, name))
        jobs["piq"] = lambda: function(given, true, data_range=1.0, reduction="none", **options)
    arrays = [tensor.permute(0, 2, 3, 1).contiguous().numpy() for tensor in (given, true)]
    if name == "psnr":
        jobs["scikit-image"] = lambda: [
            skimage.peak_signal_noise_ratio(t, g, data_range=1.0) for g, t in zip(*arrays, strict=True)
        ]
    if name == "ssim":
        jobs["scikit-image"] = lambda: [
            skimage.structural_similarity(
                t, g, data_range=1.0, channel_axis=2, gaussian_weights=True, use_sample_covariance=False
            )
            for g, t in zip(*arrays, strict=True)
        ]
    return jobs


def fid_jobs(items: int, width: int, piq: ModuleType | None, pytorch_fid: ModuleType | None) -> dict[str, Job]:
    generator = torch.Generator().manual_seed(0)
    given, true = torch.rand(2, items, width, generator=generator, dtype=torch.float64)

    def moments() -> list[torch.Tensor]:
        return [part for features in (given, true) for part in (features.mean(dim=0), features.T.cov())]

    jobs: dict[str, Job] = {"ours": lambda: ours.fid(given, true), "torchmetrics": lambda: _compute_fid(*moments())}
    if piq:
        jobs["piq"] = lambda: piq.FID().compute_metric(given, true)
    if pytorch_fid:
        jobs["pytorch-fid"] = lambda: pytorch_fid.calculate_frechet_distance(*(part.numpy() for part in moments()))
    return {library: job for library, job in jobs.items() if width < TOO_WIDE or library not in SLOW_THERE}


def pair(number: int, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Crops of a photograph, and the same with noise."""
    photograph = torch.from_numpy(data.astronaut()).permute(2, 0, 1).float() / 255
    starts = np.random.default_rng(0).integers(0, 512 - side, (number, 2))
    true = torch.stack([photograph[:, y : y + side, x : x + side] for y, x in starts])
    noise = torch.randn(true.shape, generator=torch.Generator().manual_seed(0))
    return (true + 0.1 * noise).clamp(0, 1), true


def measure(jobs: dict[str, Job]) -> dict[str, float]:
    """Run the jobs in turns; return the median CPU milliseconds of each."""
    spent: dict[str, list[float]] = {}
    order = random.Random(0)
    for name, job in jobs.items():
        try:
            started = time.process_time()
            job()
            taken = time.process_time() - started
            # A first run that is short warms up; a long one counts.
            spent[name] = [taken] if taken > SECONDS else []
        except Exception as error:
            print(f"left out: {name} ({type(error).__name__}: {error})", file=sys.stderr)
    while any(unfinished(runs) for runs in spent.values()):
        # Who comes first finds the images in no cache, so the order is drawn anew.
        for name, runs in order.sample(list(spent.items()), len(spent)):
            if unfinished(runs):
                started = time.process_time()
                jobs[name]()
                runs.append(time.process_time() - started)
    return {name: round(1000 * statistics.median(runs), 3) for name, runs in spent.items()}


def unfinished(runs: list[float]) -> bool:
    return (sum(runs) < SECONDS and len(runs) < 200) or (len(runs) < RUNS and max(runs, default=0.0) <= SECONDS)


def figure(name: str, size: str, milliseconds: dict[str, float]) -> dict[str, object]:
    others = {library: value for library, value in milliseconds.items() if library != "ours"}
    if not others:
        return {"metric": name, "size": size, "milliseconds": milliseconds, "fastest": "", "ratio": None}
    fastest = min(others, key=others.__getitem__)
    ratio = round(milliseconds["ours"] / others[fastest], 3)
    return {"metric": name, "size": size, "milliseconds": milliseconds, "fastest": fastest, "ratio": ratio}


def report(figures: list[dict[str, object]], committed: list[dict[str, object]]) -> None:
    known = {(entry["metric"], entry["size"]): entry["ratio"] for entry in committed}
    print(f"{'metric':<8} {'size':<13} {'ratio':>7} {'committed':>10}  {'fastest':<13} CPU milliseconds")
    for entry in figures:
        before = known.get((entry["metric"], entry["size"]), "")
        times = ", ".join(f"{library} {value:g}" for library, value in dict(entry["milliseconds"]).items())  # type: ignore[call-overload]
        ratio = "" if entry["ratio"] is None else entry["ratio"]
        print(f"{entry['metric']:<8} {entry['size']:<13} {ratio:>7} {before:>10}  {entry['fastest']:<13} {times}")


if __name__ == "__main__":
    main()
