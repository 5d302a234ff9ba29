"""Private images from scores and saliency maps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from inversion_atlas.reference.attacks.explanation_inversion import train_explanation_network
from inversion_atlas.reference.attacks.inversion_network import train_inversion_network
from inversion_atlas.reference.metrics import mse
from inversion_atlas.reference.observations import AccessError, BlackBox, Explanation
from inversion_atlas.reference.observations.explanations import Explainer, grad_cam, gradient, gradient_times_input
from inversion_atlas.reference.targets.training import Target

Targets = Callable[[str], Target]


def error(images: Tensor, originals: Tensor) -> float:
    return float(mse(images.detach().contiguous(), originals, data_range=(0.0, 1.0)).mean())


def test_explanations_tell_more_than_scores(target: Targets) -> None:
    """The paper's comparison: two thirds of the error of scores alone; a third of the mean image's.

    Maps of other images, or noise in their place, are worse than no map.
    """
    victim = target("digits-mlp")
    private, public = victim.data.private.images[:200], victim.data.public.images
    box = Explanation(victim.model, gradient_times_input, outputs="logits", input_shape=(1, 8, 8), limit=1600)
    network = train_explanation_network(box, public, epochs=20)
    assert box.queries == len(public)
    scores, maps = box.explain(private)
    by_scores = train_inversion_network(box, public, epochs=20)(scores)
    found = network(scores, maps)
    mean = public.mean(dim=0, keepdim=True).expand_as(private)
    assert error(found, private) < 0.67 * error(by_scores, private)
    assert error(found, private) < 0.33 * error(mean, private)
    assert error(network(scores, maps.roll(1, dims=0)), private) > error(by_scores, private)
    noise = torch.randn(maps.shape, generator=torch.Generator().manual_seed(0)) * maps.std()
    assert error(network(scores, noise), private) > error(by_scores, private)


@pytest.mark.slow
def test_some_explanations_tell_more_than_others(target: Targets) -> None:
    """Gradient times input, the gradient, Grad-CAM at the last convolution, and the same network without maps."""
    victim = target("digits-convnet")
    private, public = victim.data.private.images[:200], victim.data.public.images

    def with_maps(explain: Explainer) -> float:
        box = Explanation(victim.model, explain, outputs="logits", input_shape=(1, 8, 8))
        network = train_explanation_network(box, public, epochs=20)
        return error(network(*box.explain(private)), private)

    product, slope, activation, nothing = map(
        with_maps, (gradient_times_input, gradient, grad_cam(5), lambda model, inputs: torch.zeros_like(inputs))
    )
    assert product < 0.85 * slope
    assert slope < 0.9 * activation
    assert activation < nothing


def test_the_same_seed_gives_the_same_network(target: Targets) -> None:
    victim = target("digits-mlp")
    public = victim.data.public.images[:64]
    box = Explanation(victim.model, gradient, outputs="logits", input_shape=(1, 8, 8))
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    one, two = (train_explanation_network(box, public, epochs=1, seed=3) for _ in "ab")
    assert torch.equal(torch.rand(2), expected)
    seen = box.explain(public)
    assert torch.equal(one(*seen), two(*seen))


def test_a_model_that_explains_nothing_is_refused(target: Targets) -> None:
    box = BlackBox(target("digits-mlp").model, outputs="logits", input_shape=(1, 8, 8))
    with pytest.raises(AccessError, match="takes an Explanation"):
        train_explanation_network(box, torch.zeros(4, 1, 8, 8))  # type: ignore[arg-type]
