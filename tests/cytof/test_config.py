"""Settings: each wrong one is refused by name and value, and the defaults are right as they are."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from cellgan.cytof.config import AlignConfig, check_anchors, check_reference
from cellgan.errors import ConfigError


def test_defaults_align_with_the_game_on_shared_markers():
    config = AlignConfig()
    assert (config.method, config.correspondence, config.transform) == ("matched", "shared", "auto")
    assert (config.cofactor, config.cofactors) == ("auto", {})
    assert (config.impute, config.draws) == (True, 1)
    assert config.label_key is None


def test_settings_do_not_change_once_made():
    with pytest.raises(FrozenInstanceError):
        AlignConfig().seed = 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"transform": "log"}, "transform is 'log'; expected one of auto, arcsinh, none"),
        ({"method": "combat"}, "method is 'combat'; expected one of matched, magan, quantiles"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"correspondence": "label"}, "correspondence is 'label'; expected 'shared', 'none' or 'labels:KEY'"),
        ({"correspondence": "labels:"}, "correspondence is 'labels:'"),
        ({"correspondence": ""}, "correspondence is ''"),
        ({"cofactor": 0.0}, "cofactor is 0.0"),
        ({"cofactor": -5.0}, "cofactor is -5.0"),
        ({"cofactor": float("nan")}, "cofactor is nan"),
        ({"cofactor": float("inf")}, "cofactor is inf"),
        ({"cofactor": "automatic"}, "cofactor is automatic; expected a positive number"),
        ({"cofactors": {"CD3": 5.0, "CD4": 0.0}}, "cofactors['CD4'] is 0.0; expected a positive number"),
        ({"cofactors": {"CD3": float("nan")}}, "cofactors['CD3'] is nan"),
        ({"cofactors": {"CD3": "auto"}}, "cofactors['CD3'] is auto"),
        ({"rounds": 0}, "rounds is 0; a game of no rounds aligns nothing"),
        ({"draws": 0}, "draws is 0; expected 1 or more. To impute nothing: --no-impute"),
        ({"draws": -3}, "draws is -3"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**32}, "seed is 4294967296; expected a whole number from 0 to 4294967295"),
        ({"threads": -2}, "threads is -2"),
        ({"condition": ""}, "condition is ''; expected the name of an obs column"),
        ({"condition": " "}, "condition is ' '"),
        ({"anchor_key": ""}, "anchor_key is ''; expected the name of an obs column"),
        ({"anchor_key": "=yes"}, "anchor_key is '=yes', with no column before '='"),
        ({"condition": "a", "anchor_key": "b"}, "condition is 'a' and anchor_key is 'b': give one of them"),
        ({"reference": "consensus", "condition": "a"}, "reference is 'consensus' and condition is 'a'"),
        ({"reference": "consensus", "anchor_key": "a"}, "reference is 'consensus' and anchor_key is 'a'"),
        ({"reference": "consensus", "correspondence": "labels:a"}, "and correspondence is 'labels:a'"),
        ({"markers": ("CD3",)}, "only one marker was chosen, 'CD3'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_value(wrong, told):
    with pytest.raises(ConfigError) as caught:
        AlignConfig(**wrong)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "right",
    [
        {"rounds": 1},
        {"draws": 1},
        {"impute": False},
        {"seed": 2**32 - 1},
        {"cofactor": 1e-3},
        {"cofactor": 150},
        {"cofactors": {"CD3": 1e-3, "CD4": 6000}},
        {"threads": 1},
        {"markers": ("CD3", "CD4")},
        {"reference": "consensus"},
        {"condition": "drug"},
        {"anchor_key": "sample=control"},
    ],
)
def test_limits_themselves_are_allowed(right):
    ((name, value),) = right.items()
    assert getattr(AlignConfig(**right), name) == value


@pytest.mark.parametrize(("said", "key"), [("labels:type", "type"), ("labels:a:b", "a:b"), ("none", None)])
def test_labels_name_a_column(said, key):
    assert AlignConfig(correspondence=said).label_key == key


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"anchor_key": "control"}, "anchors were given and anchor_key is 'control': give one of them"),
        ({"condition": "drug"}, "anchors were given and condition is 'drug': give one of them"),
        ({"reference": "consensus"}, "anchors were given and reference is 'consensus'"),
    ],
)
def test_anchors_refuse_what_says_otherwise(other, told):
    check_anchors(AlignConfig(reference="one"))
    with pytest.raises(ConfigError) as caught:
        check_anchors(AlignConfig(**other))
    assert told in str(caught.value)


def test_consensus_does_not_mean_two_things():
    check_reference(AlignConfig(reference="consensus"), ["one", "two"])
    check_reference(AlignConfig(reference="one"), ["one", "consensus"])
    check_reference(AlignConfig(), ["one", "consensus"])
    for reference, names in ((None, ["consensus", "one"]), ("consensus", ["one", "consensus"])):
        with pytest.raises(
            ConfigError, match="one of the batches is called so: give that batch another name"
        ):
            check_reference(AlignConfig(reference=reference), names)
