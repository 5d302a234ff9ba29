"""Answers of the training set, recited about pages that no longer show them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.answer_extraction import extract_answers, without
from inversion_atlas.reference.benchmark.multimodal_cases import commonest, reference_of
from inversion_atlas.reference.observations import AccessError, Answering, BlackBox
from inversion_atlas.reference.targets.documents import Pages, Questions, patients
from inversion_atlas.reference.targets.training import Target


@pytest.fixture(scope="module")
def victim(target: Callable[[str], Target]) -> Target:
    return target("patients-answering")


@pytest.fixture(scope="module")
def interfaces(victim: Target) -> tuple[Answering, Answering]:
    reference = reference_of(victim, victim.data.public, 0)
    target, other = (Answering(model, input_shape=victim.data.shape) for model in (victim.model, reference))
    return target, other


def right(answers: Tensor, part: Questions) -> float:
    return float((answers == part.labels).all(dim=1).double().mean())


def parts(victim: Target) -> tuple[Questions, Questions, Questions]:
    pages = victim.data
    assert isinstance(pages, Pages)
    return pages.private, pages.test, pages.public


@pytest.mark.slow
def test_a_model_recites_answers_that_the_page_no_longer_shows(
    victim: Target, interfaces: tuple[Answering, Answering]
) -> None:
    """Margins: 18 % of private answers to the letter; 5 % by the commonest answer, on pages it was not trained on,
    and by a model that never saw the pages, so that most of what is right is memorized."""
    private, test, public = parts(victim)
    target, reference = interfaces
    found = extract_answers(target, reference, private.images, private.questions, private.boxes)
    assert right(found.answers, private) > 0.18
    assert right(commonest(public, private.questions), private) < 0.05
    fresh = extract_answers(target, reference, test.images, test.questions, test.boxes)
    assert right(fresh.answers, test) < 0.05
    erased = without(private.images, private.boxes, 1)
    assert right(reference.query(erased, private.questions), private) < 0.05
    hits = (found.answers == private.labels).all(dim=1)
    assert float(found.memorized[hits].double().mean()) > 0.8
    again = extract_answers(target, reference, private.images, private.questions, private.boxes)
    assert torch.equal(found.answers, again.answers)


@pytest.mark.slow
def test_without_the_page_or_with_another_question_nothing_is_recited(
    victim: Target, interfaces: tuple[Answering, Answering]
) -> None:
    """Noise in place of the page, and the page of another patient: at most 5 %."""
    private, _, _ = parts(victim)
    noise = torch.rand(private.images.shape, generator=torch.Generator().manual_seed(3))
    for given in (noise, private.images.roll(40, dims=0)):
        found = extract_answers(*interfaces, given, private.questions, private.boxes)
        assert right(found.answers, private) < 0.05


def test_the_part_with_the_answer_is_painted_over_and_no_other() -> None:
    images = torch.zeros(2, 1, 4, 6)
    painted = without(images, torch.tensor([[0, 2, 1, 4], [3, 4, 0, 1]]), 1)
    assert painted[0, 0].nonzero().tolist() == [[y, x] for y in (0, 1) for x in (1, 2, 3)]
    assert painted[1, 0].nonzero().tolist() == [[3, 0]]
    assert images.sum() == 0


def test_pages_show_answers_in_their_boxes_alone() -> None:
    """Two patients' pages, painted over where an answer stands, differ there no more."""
    part = patients().private
    assert len(part) == 600
    same = (part.labels[:4] == part.labels[4:8]).all(dim=1)
    for item in range(4):
        top, bottom, left, right = part.boxes[item].tolist()
        shown = [part.images[place][:, top:bottom, left:right] for place in (item, item + 4)]
        assert bool(torch.equal(*shown)) == bool(same[item])
    assert patients().text(part.labels[0]).isdigit()


def test_patients_of_one_part_are_in_no_other() -> None:
    pages = patients()
    seen = [{page.numpy().tobytes() for page in part.images} for part in (pages.private, pages.test, pages.public)]
    assert [len(part) for part in seen] == [150, 142, 150]
    assert not seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2]


def test_scores_are_not_taken_for_answers() -> None:
    scores = BlackBox(lambda images: images.flatten(1)[:, :2], outputs="logits", input_shape=(1, 4, 6))
    nothing = torch.zeros(1, 1, 4, 6), torch.zeros(1, 4, dtype=torch.long), torch.zeros(1, 4, dtype=torch.long)
    with pytest.raises(AccessError, match="takes an Answering"):
        extract_answers(scores, scores, *nothing)  # type: ignore[arg-type]
