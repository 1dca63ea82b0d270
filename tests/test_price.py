from pathlib import Path

import pytest
import yaml

from gensynth.errors import UserError
from gensynth.experiment import Price
from gensynth.validation import validate


def test_the_price_is_what_its_constants_say():
    price = Price(image=1e6, node=100, epoch=8830)
    assert price.of(2e6, 30, 883) == 2e6 + 1e6 + 3000 + 10


def test_the_defaults_of_old_runs_are_those_of_new_ones(repository: Path):
    """A run from before the key was there goes on with the model's defaults."""
    config = yaml.safe_load((repository / "gensynth/conf/config.yaml").read_text())
    assert Price(**config["price"]) == Price()


@pytest.mark.parametrize("wrong", [{"image": 0}, {"node": -1}, {"seconds": 0.3}])
def test_a_price_of_nothing_or_of_time_is_refused(wrong):
    with pytest.raises(UserError):
        validate(Price, wrong)
