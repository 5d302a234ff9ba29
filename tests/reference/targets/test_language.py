"""Functions and sentences are real, split without overlap, and repeated as often as they say."""

from __future__ import annotations

import torch

from inversion_atlas.reference.targets.bags import PROPERTY, sentence_bags
from inversion_atlas.reference.targets.language import CONTEXT, CausalModel, functions, repeated_sentences


def test_functions_are_source_code_of_which_no_part_holds_another_s() -> None:
    corpus = functions()
    own, others = ({tuple(row) for row in part.tolist()} for part in (corpus.functions, corpus.held_out))
    assert len(own) == len(others) == 64
    assert not own & others
    assert all(corpus.text(row).startswith("def ") for row in (*own, *others))
    assert corpus.copies.bincount()[[1, 4, 16]].tolist() == [32, 16, 16]
    assert len(corpus.private) == 2 * int(corpus.copies.sum())
    assert corpus.shape == (CONTEXT,)
    assert torch.equal(corpus.private.images[:, 1:], corpus.private.labels[:, :-1])


def test_sentences_are_repeated_as_told_and_end_where_they_end() -> None:
    corpus = repeated_sentences()
    assert len(corpus.private) == int(corpus.copies.sum())
    first = corpus.private.labels[0]
    assert torch.equal(first, corpus.sentences[0])
    assert corpus.text(first).endswith(" .")
    assert int(corpus.private.images[0, 0]) == 1
    assert set(corpus.copies.tolist()) == {1, 4, 16}


def test_a_causal_model_does_not_look_ahead_and_gives_logits_for_cross_entropy() -> None:
    model = CausalModel(9, 5, width=8, heads=2).eval()
    tokens = torch.randint(9, (2, 5), generator=torch.Generator().manual_seed(0))
    changed = tokens.clone()
    changed[:, 3:] = (tokens[:, 3:] + 1) % 9
    torch.testing.assert_close(model.logits(tokens)[:, :3], model.logits(changed)[:, :3])
    assert model(tokens).shape == (2, 9, 5)


def test_bags_hold_the_words_of_sentences_and_of_the_property() -> None:
    table = sentence_bags()
    assert table.features[table.sensitive] == PROPERTY
    assert set(table.private.images.unique().tolist()) == {0.0, 1.0}
    shares = [float(part.images[:, table.sensitive].mean()) for part in (table.private, table.public)]
    assert all(0.15 < share < 0.3 for share in shares)
    assert abs(len(table.private) - len(table.public)) < 2
