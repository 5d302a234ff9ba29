"""Pages of real patients' records, rendered as images, and a model that answers questions about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_diabetes
from torch import Tensor, nn
from torch.nn import functional

from inversion_atlas.reference.targets.data import Images, Split

# What a page shows of a patient, column by column of the table, in two columns.
_FIELDS = {
    "age": "age",
    "sex": "sex",
    "mass": "bmi",
    "press.": "bp",
    "chol.": "s1",
    "LDL": "s2",
    "HDL": "s3",
    "ratio": "s4",
    "sugar": "s6",
    "course": "target",
}
_ASKED = ("age", "press.", "HDL", "sugar")
_COLUMN, _LINE, _VALUE = 72, 12, 40  # pixels: width of a column, height of a line, where its value begins
_LINES = (len(_FIELDS) + 1) // 2
# What answers are written in; shorter ones end with blanks.
SYMBOLS = " .0123456789"
_LENGTH = 5
_WORDS = ("what", "is", "the", *_ASKED)
_PATIENTS = (150, 142)  # private and test, the rest is public


@dataclass(frozen=True, slots=True, eq=False)
class Questions(Images):
    """Pages (items, 1, height, width), a question in word numbers on each, and its answer in symbols as label.

    `boxes` are top, bottom, left and right of the part of the page that shows the answer.
    """

    questions: Tensor
    boxes: Tensor

    def inputs(self, items: Tensor) -> tuple[Tensor, ...]:
        return self.images[items], self.questions[items]


@dataclass(frozen=True, slots=True, eq=False)
class Pages(Split):
    """Pages split by patients."""

    private: Questions
    test: Questions
    public: Questions

    def text(self, answer: Tensor) -> str:
        """Return an answer as text, without blanks at its end."""
        return "".join(SYMBOLS[symbol] for symbol in answer.tolist()).rstrip()


@lru_cache(maxsize=1)
def patients() -> Pages:
    """Records of 442 diabetes patients (scikit-learn), each a page; four questions are asked about every page.

    Pages of 64 by 144 pixels, black on white, in Pillow's bundled bitmap font. 150 patients are private, 142 to test,
    150 public.
    """
    table = load_diabetes(scaled=False, as_frame=True).frame
    records = [[f"{row[column]:g}"[:_LENGTH] for column in _FIELDS.values()] for _, row in table.iterrows()]
    order = np.random.default_rng(0).permutation(len(records)).tolist()
    pages = torch.stack([_rendered(record) for record in records])
    private, test = _PATIENTS
    parts = (order[:private], order[private : private + test], order[private + test :])
    return Pages("patients", tuple(SYMBOLS), *(_asked(pages[part], [records[item] for item in part]) for part in parts))


def _place(field: int) -> tuple[int, int]:
    """Top and left of a field on the page."""
    return _LINE * (field // 2) + 1, _COLUMN * (field % 2)


def _rendered(record: Sequence[str]) -> Tensor:
    page = Image.new("L", (2 * _COLUMN, _LINE * _LINES + 4), 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default_imagefont()
    for field, (name, value) in enumerate(zip(_FIELDS, record, strict=True)):
        top, left = _place(field)
        pen.text((left, top), name, font=font, fill=0)
        pen.text((left + _VALUE, top), value, font=font, fill=0)
    return torch.from_numpy(np.array(page)).float().div(255)[None]


def _asked(pages: Tensor, records: Sequence[Sequence[str]]) -> Questions:
    """All questions about all pages: those about the first page first."""
    fields = [list(_FIELDS).index(name) for name in _ASKED]
    answers = [[SYMBOLS.index(s) for s in record[field].ljust(_LENGTH)] for record in records for field in fields]
    words = torch.tensor([[0, 1, 2, _WORDS.index(name)] for name in _ASKED])
    places = [_place(field) for field in fields]
    boxes = torch.tensor([[top - 1, top - 1 + _LINE, left + _VALUE, left + _COLUMN] for top, left in places])
    return Questions(
        pages.repeat_interleave(len(fields), dim=0),
        torch.tensor(answers),
        words.repeat(len(pages), 1),
        boxes.repeat(len(pages), 1),
    )


class Answerer(nn.Module):
    """A perceptron over a page at half its resolution; the question in words gates what it reads.

    Returns logits of shape (batch, symbols, length).
    """

    def __init__(self, shape: tuple[int, ...], symbols: int, width: int = 256) -> None:
        super().__init__()
        _, height, breadth = shape
        self.reads = nn.Sequential(
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.LayerNorm(height // 2 * (breadth // 2), elementwise_affine=False),
            nn.Linear(height // 2 * (breadth // 2), width),
            nn.ReLU(),
        )
        self.words = nn.Embedding(len(_WORDS), width)
        self.thinks = nn.Linear(width, width)
        self.writes = nn.Linear(width, symbols * _LENGTH)

    def forward(self, pages: Tensor, questions: Tensor) -> Tensor:
        asked = self.words(questions).sum(dim=1)
        hidden = functional.relu(self.thinks(self.reads(1 - pages) * asked))
        answers: Tensor = self.writes(hidden).unflatten(1, (-1, _LENGTH))
        return answers


def answering(shape: tuple[int, ...], classes: int) -> nn.Module:
    """An `Answerer` that is 256 wide."""
    return Answerer(shape, classes)
