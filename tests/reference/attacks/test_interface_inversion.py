"""Attacks that search a generator's space with the scores of a model behind an interface, or with its labels alone.

The target knows digits 5 to 9; generators were trained on digits 0 to 4. A network of another architecture, trained
on the target's images, judges. Five classes: guessing is right in a fifth.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inversion_atlas.reference.attacks.brep_mi import brep_mi
from inversion_atlas.reference.attacks.lokt import NamingHead, lokt, train_surrogates, train_tacgan
from inversion_atlas.reference.attacks.mirror import style_bounds
from inversion_atlas.reference.attacks.mirror_genetic import mirror_genetic
from inversion_atlas.reference.attacks.reconstruction import Reconstruction
from inversion_atlas.reference.attacks.rlb_mi import rlb_mi
from inversion_atlas.reference.benchmark.generator_cases import judged
from inversion_atlas.reference.generators.networks import Generator, StyleGenerator
from inversion_atlas.reference.generators.training import Gan
from inversion_atlas.reference.observations import AccessError, BlackBox, LabelOnly, QueryLimitReached
from inversion_atlas.reference.seeding import seeded
from inversion_atlas.reference.targets import generators, mnist, models, training

SHAPE = (1, 16, 16)
# Four images of each class.
LABELS = torch.arange(5).repeat_interleave(4)
PUBLIC = mnist.mnist().public.images

Judge = Callable[[Tensor], dict[str, float]]


@pytest.fixture(scope="module")
def model(cache: Path) -> nn.Module:
    return training.load("mnist-convnet", cache).model


@pytest.fixture(scope="module")
def judge(cache: Path) -> Judge:
    loaded = training.load("mnist-evaluation", cache)
    return lambda images: judged(loaded, images, LABELS)


@pytest.fixture(scope="module")
def generator(cache: Path) -> Generator:
    loaded = generators.load("mnist-gan", cache).generator
    assert isinstance(loaded, Generator)
    return loaded


@pytest.fixture(scope="module")
def styles(cache: Path) -> StyleGenerator:
    loaded = generators.load("mnist-style-gan", cache).generator
    assert isinstance(loaded, StyleGenerator)
    return loaded


def labels_of(model: Callable[[Tensor], Tensor], limit: int | None = None) -> LabelOnly:
    return LabelOnly(model, input_shape=SHAPE, classes=5, limit=limit)


def scores_of(model: nn.Module, limit: int | None = None) -> BlackBox:
    return BlackBox(model, outputs="logits", input_shape=SHAPE, limit=limit)


def noise(seed: int) -> Callable[[Tensor], Tensor]:
    """An interface that names classes at random."""
    random = torch.Generator().manual_seed(seed)
    return lambda inputs: torch.randint(5, (len(inputs),), generator=random)


def untrained(seed: int) -> nn.Module:
    with seeded(seed):
        return models.batchnorm_convnet(SHAPE, 5)


def accuracy(judge: Judge, images: Tensor) -> float:
    return judge(images)["attack-accuracy"]


def repelled(interface: LabelOnly, generator: Generator, steps: int = 120) -> Reconstruction:
    return brep_mi(interface, generator, LABELS, steps=steps)


def bred(interface: BlackBox, generator: StyleGenerator, steps: int = 40, seed: int = 0) -> Reconstruction:
    return mirror_genetic(
        interface, generator, LABELS, steps=steps, population=50, draws=1000, mutation_size=1.0, enough=1.0, seed=seed
    )


def hunted(interface: BlackBox, generator: Generator, steps: int = 200, learning_rate: float = 4e-3) -> Reconstruction:
    return rlb_mi(
        interface, generator, LABELS, steps=steps, episodes=4, hidden=64, batch_size=64, learning_rate=learning_rate
    )


@pytest.mark.slow
def test_boundary_repulsion_shows_classes_from_labels_alone(
    model: nn.Module, judge: Judge, generator: Generator
) -> None:
    """Margins: 85 %, .3 above images that the target merely names so, .4 above the generator and public images."""
    interface = labels_of(model)
    found = repelled(interface, generator)
    reached = accuracy(judge, found.images)
    assert reached >= 0.85
    assert not found.converged  # stopped by the number of steps, spheres still grew
    assert found.objective > 10
    # 256 draws for the start, then 32 points and the moved vector for each image and step.
    assert interface.queries == 256 + 120 * 33 * len(LABELS)
    named = brep_mi(labels_of(model), generator, LABELS, steps=0).images
    assert torch.equal(labels_of(model).query(named), LABELS)
    assert accuracy(judge, named) <= reached - 0.3
    with seeded(0):
        drawn = generator(torch.randn(len(LABELS), generator.latent))
    for images in (drawn, PUBLIC[: len(LABELS)], PUBLIC.mean(dim=0, keepdim=True).expand(len(LABELS), -1, -1, -1)):
        assert accuracy(judge, images) <= reached - 0.4


@pytest.mark.slow
def test_boundary_repulsion_follows_the_labels_that_it_is_given(
    model: nn.Module, judge: Judge, generator: Generator
) -> None:
    """Labels at random reach 45 % at most, spheres do not grow; another order of the classes shows the others."""
    found = repelled(labels_of(noise(0)), generator, steps=60)
    assert accuracy(judge, found.images) <= 0.45
    assert found.objective == 2.0
    moved = repelled(labels_of(lambda inputs: (model(inputs).argmax(dim=1) + 1) % 5), generator, steps=60)
    assert accuracy(judge, moved.images) <= 0.2


@pytest.mark.slow
def test_labels_alone_need_more_queries_than_scores(
    model: nn.Module, judge: Judge, generator: Generator, styles: StyleGenerator
) -> None:
    """Margin: with a quarter of the queries, genetic search and agent are ahead of boundary repulsion by .1."""
    by_labels = labels_of(model)
    repulsion = accuracy(judge, repelled(by_labels, generator, steps=45).images)
    for_genes, for_agent = scores_of(model), scores_of(model)
    for interface, found in (
        (for_genes, bred(for_genes, styles, steps=6)),
        (for_agent, hunted(for_agent, generator)),
    ):
        assert interface.queries <= by_labels.queries / 4
        assert accuracy(judge, found.images) >= repulsion + 0.1


@pytest.mark.slow
def test_boundary_repulsion_ends_at_the_limit_with_what_it_has(model: nn.Module, generator: Generator) -> None:
    labels = torch.arange(5)
    interface = labels_of(model, limit=256 + 10 * 33 * 5 + 20)
    found = brep_mi(interface, generator, labels)
    assert (found.evaluations, found.converged) == (10, False)
    assert torch.equal(found.images, brep_mi(labels_of(model), generator, labels, steps=10).images)
    assert torch.equal(labels_of(model).query(found.images), labels)
    with pytest.raises(QueryLimitReached):
        brep_mi(labels_of(model, limit=100), generator, labels)
    # Spheres that stop growing end the search.
    assert brep_mi(labels_of(noise(1)), generator, labels, patience=5).converged
    with pytest.raises(ValueError, match=r"too few were named \[1, 2, 3, 4\]"):
        brep_mi(labels_of(lambda inputs: torch.zeros(len(inputs))), generator, labels, tries=2)


@pytest.mark.slow
def test_genetic_search_shows_classes_from_scores_alone(model: nn.Module, judge: Judge, styles: StyleGenerator) -> None:
    """Margins: 95 %, .4 above the generator alone, half as far as the surest draws; an untrained model: 45 %."""
    interface = scores_of(model)
    found = bred(interface, styles)
    reached = judge(found.images)
    assert reached["attack-accuracy"] >= 0.95
    assert interface.queries == 1000 + 40 * 49 * len(LABELS)
    assert torch.equal(found.images, bred(scores_of(model), styles).images)
    first = bred(scores_of(model), styles, steps=0)
    assert found.objective < first.objective
    assert reached["feature-distance"] < 0.7 * judge(first.images)["feature-distance"]
    with seeded(0):
        drawn = styles(torch.randn(len(LABELS), styles.latent))
    assert accuracy(judge, drawn) <= reached["attack-accuracy"] - 0.4
    noises = [accuracy(judge, bred(scores_of(untrained(seed)), styles, steps=20).images) for seed in (0, 1)]
    assert sum(noises) / 2 <= 0.45


@pytest.mark.slow
def test_genetic_search_ends_at_the_limit_and_where_the_target_is_sure(
    model: nn.Module, styles: StyleGenerator
) -> None:
    cut = bred(scores_of(model, limit=1000 + 3 * 49 * len(LABELS) + 5), styles)
    assert (cut.evaluations, cut.converged) == (4, False)
    assert torch.equal(cut.images, bred(scores_of(model), styles, steps=3).images)
    with pytest.raises(QueryLimitReached):
        bred(scores_of(model, limit=999), styles)
    sure = mirror_genetic(scores_of(model), styles, LABELS, population=50, draws=1000, enough=0.5)
    assert sure.converged
    assert sure.evaluations == 1
    with pytest.raises(ValueError, match="draws do not fill"):
        mirror_genetic(scores_of(model), styles, LABELS, population=50, draws=100)
    # Items of a class differ.
    assert len(sure.images.unique(dim=0)) == len(LABELS)
    low, high = style_bounds(styles, 1.0, 1000, torch.Generator().manual_seed(0))
    assert bool((low < high).all())


@pytest.mark.slow
def test_an_agent_learns_where_the_target_is_sure(model: nn.Module, judge: Judge, generator: Generator) -> None:
    """Margins: 90 %, .4 above the generator alone; one that does not learn finds images half as sure at best."""
    interface = scores_of(model)
    found = hunted(interface, generator)
    reached = accuracy(judge, found.images)
    assert reached >= 0.9
    assert found.converged
    assert interface.queries == 5 * 200 * 4
    idle = hunted(scores_of(model), generator, learning_rate=0.0)
    assert found.objective < 0.5 * idle.objective
    with seeded(0):
        drawn = generator(torch.randn(len(LABELS), generator.latent))
    assert accuracy(judge, drawn) <= reached - 0.4
    noises = [accuracy(judge, hunted(scores_of(untrained(seed)), generator, steps=40).images) for seed in (0, 1)]
    assert sum(noises) / 2 <= 0.45


@pytest.mark.slow
def test_the_agent_is_the_same_each_time_and_ends_at_the_limit(model: nn.Module, generator: Generator) -> None:
    labels = torch.tensor([0, 0, 1])
    settings = {"steps": 12, "episodes": 2, "hidden": 8, "batch_size": 8}
    one, two = (rlb_mi(scores_of(model), generator, labels, **settings) for _ in "ab")  # type: ignore[arg-type]
    assert torch.equal(one.images, two.images)
    cut = rlb_mi(scores_of(model, limit=40), generator, labels, **settings)  # type: ignore[arg-type]
    assert not cut.converged
    assert cut.evaluations == 20
    with pytest.raises(QueryLimitReached):
        rlb_mi(scores_of(model, limit=24), generator, labels, **settings)  # type: ignore[arg-type]
    # With diversity the images of state and action are both asked about.
    box = scores_of(model)
    rlb_mi(box, generator, labels, diversity=0.5, **settings)  # type: ignore[arg-type]
    assert box.queries == 2 * 12 * 2 * 2
    with pytest.raises(ValueError, match="diversity"):
        rlb_mi(box, generator, labels, diversity=1.0)


@pytest.fixture(scope="module")
def taught(model: nn.Module) -> tuple[Gan[Generator], list[nn.Module], int]:
    """The T-ACGAN, a surrogate, and the queries that both took."""
    interface = labels_of(model)
    gan = train_tacgan(interface, PUBLIC)
    with seeded(0):
        untrained = [models.convnet(SHAPE, 5)]
    surrogates = train_surrogates(interface, gan.generator, untrained, per_class=250, epochs=10, learning_rate=0.05)
    assert interface.queries == 350 * 64 + 5 * 250
    return gan, surrogates, interface.queries


@pytest.mark.slow
def test_surrogates_turn_labels_into_a_white_box(
    model: nn.Module, judge: Judge, generator: Generator, taught: tuple[Gan[Generator], list[nn.Module], int]
) -> None:
    """LOKT's comparison: .1 ahead of boundary repulsion with fewer queries; .4 ahead of a generator without it."""
    gan, surrogates, asked = taught
    for models_of in (surrogates, [NamingHead(gan.discriminator)]):
        interface = labels_of(model)
        found = lokt(interface, gan, models_of, LABELS, steps=100)
        assert torch.equal(found.images, lokt(labels_of(model), gan, models_of, LABELS, steps=100).images)
        assert found.converged == bool((interface.query(found.images) == LABELS).all())
        assert interface.queries == 2 * len(LABELS)
        by_labels = labels_of(model)
        repulsion = accuracy(judge, repelled(by_labels, generator, steps=45).images)
        assert asked < by_labels.queries
        assert accuracy(judge, found.images) >= max(0.9, repulsion + 0.1)
        with seeded(0):
            drawn = generator(torch.randn(len(LABELS), generator.latent))
        assert accuracy(judge, found.images) >= accuracy(judge, drawn) + 0.4


@pytest.mark.slow
def test_surrogates_of_labels_at_random_teach_nothing(judge: Judge) -> None:
    interface = labels_of(noise(0))
    gan = train_tacgan(interface, PUBLIC, steps=300, alone=100)
    found = lokt(interface, gan, [NamingHead(gan.discriminator)], LABELS, steps=50)
    assert accuracy(judge, found.images) <= 0.45
    assert not found.converged


def test_what_the_limit_does_not_hold_is_refused_or_told() -> None:
    model, public = untrained(0), PUBLIC[:64]
    with pytest.raises(QueryLimitReached):
        train_tacgan(labels_of(model, limit=100), public, steps=5, alone=1)
    spare = labels_of(model, limit=150)
    gan = train_tacgan(spare, public, steps=3, alone=1)
    head = NamingHead(gan.discriminator)
    assert not lokt(spare, gan, [head], torch.zeros(30, dtype=torch.long), steps=1).converged
    assert spare.queries == 128
    with pytest.raises(QueryLimitReached):
        train_surrogates(spare, gan.generator, [models.mlp(SHAPE, 5)], per_class=5)
    with pytest.raises(ValueError, match="needs a surrogate"):
        lokt(spare, gan, [], LABELS)


def test_an_interface_of_another_kind_is_refused() -> None:
    model, generator, styles = models.mlp(SHAPE, 5), Generator(SHAPE), StyleGenerator(SHAPE)
    with pytest.raises(AccessError, match="brep-mi takes a LabelOnly"):
        brep_mi(scores_of(model), generator, LABELS)  # type: ignore[arg-type]
    with pytest.raises(AccessError, match="rlb-mi takes a BlackBox"):
        rlb_mi(labels_of(model), generator, LABELS)  # type: ignore[arg-type]
    with pytest.raises(AccessError, match="mirror-genetic takes a BlackBox"):
        mirror_genetic(labels_of(model), styles, LABELS)  # type: ignore[arg-type]
    with pytest.raises(AccessError, match="T-ACGAN takes a LabelOnly"):
        train_tacgan(scores_of(model), PUBLIC)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="classes from 0 to 4"):
        brep_mi(labels_of(model), generator, torch.tensor([5]))
