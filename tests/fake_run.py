"""A run directory like those that a search leaves, made in a moment: nothing is trained."""

import json
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna
import yaml
from optuna.trial import TrialState, create_trial

from gensynth import genome as genomes
from gensynth.cost import cost
from gensynth.genome import Activation, Conv, Flatten, Genome, GlobalAvgPool, InputShape, Linear
from gensynth.indicator import Indicator
from gensynth.performance import netscore

INDICATOR = Indicator.model_validate(
    {"name": "tiny", "bounds": {"accuracy": {"min": 0.8}, "params": {"max": 2000}}}
)


def tiny(width: int) -> Genome:
    """A convolution of so many channels and a classifier."""
    return Genome(
        name=f"tiny{width}",
        input=InputShape(channels=1, height=48, width=48),
        nodes=(
            Conv(id="conv", inputs=("input",), out_channels=width, kernel=(3, 3), padding="same"),
            Activation(id="relu", op="relu", inputs=("conv",)),
            GlobalAvgPool(id="pool", inputs=("relu",)),
            Flatten(id="flat", inputs=("pool",)),
            Linear(id="out", inputs=("flat",), out_features=7),
        ),
        outputs={"logits": "out"},
    )


CANDIDATES = (
    # width, accuracy, finished
    (8, 0.70, True),
    (16, 0.81, True),
    (48, 0.86, True),
    (96, 0.90, True),
    (160, 0.93, True),
    (24, 0.40, False),
)


JUDGED = {1: "confirmed", 2: "confirmed", 3: "refuted"}
"""What the confirmation of a judged run found, by trial."""


def make_run(
    folder: Path,
    *,
    synthetic: bool = True,
    config: dict[str, Any] | None = None,
    judged: bool = False,
) -> Path:
    """Writes config.yaml, study.db, genomes and results.json.

    Args:
        folder: Where to.
        synthetic: Whether it says that its data are drawn.
        config: Further settings.
        judged: Whether the study knows what the confirmation found; one network is then refuted.
    """
    (folder / "genomes").mkdir(parents=True)
    described = {
        "name": folder.name,
        "storage": None,
        "constraint": INDICATOR.model_dump(),
        "data": {"kind": "synthetic" if synthetic else "ckplus"},
        **(config or {}),
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(described))
    (folder / "study.db").write_bytes(_study())
    if judged:
        study = optuna.load_study(study_name="fake", storage=f"sqlite:///{folder / 'study.db'}")
        study.set_user_attr("verdicts", JUDGED)
    networks = []
    for number, (width, accuracy, finished) in enumerate(CANDIDATES):
        if not finished:
            continue
        network = tiny(width)
        metrics = {**cost(network).metrics(), "accuracy": accuracy}
        file = f"genomes/trial-{number:04d}.json"
        genomes.save(network, folder / file)
        networks.append(
            {
                "genome": file,
                "hash": network.hash,
                "trial": number,
                **{name: int(value) for name, value in cost(network).metrics().items()},
                "search": {"accuracy": accuracy, "correct": round(accuracy * 981), "images": 981}
                | {"folds": 10, "epochs": 12},
                "confirmed": confirmed(accuracy - 0.005) if number in (1, 2) else None,
                "feasible": INDICATOR.feasible(metrics),
                "violations": INDICATOR.violations(metrics),
                "performance": _performance(metrics),
            }
        )
        if judged and JUDGED.get(number) == "refuted":
            refuted = {"bound": "accuracy.min", "folds": 4}
            networks[-1] |= {"refuted": refuted, "feasible": False}
    results = {
        "format": "gensynth.results",
        "version": 1,
        "name": folder.name,
        "synthetic": synthetic,
        "data": "synthetic" if synthetic else "ckplus",
        "source": "drawn from seed 0" if synthetic else "a folder",
        "command": f"gensynth search constraint=tiny name={folder.name}",
        "constraint": INDICATOR.model_dump(),
        "recipe": "The recipe was chosen by folds 1 to 9.",
        "seed": 0,
        "networks": networks,
        "counts": {
            "asked": 40,
            "refused": {"params.max": 31},
            "duplicates": 3,
            "trained": 5,
            "stopped": 1,
            "failed": 0,
        },
        "seconds": {
            "setup": 4.0,
            "search_training": 300.0,
            "confirm_training": 60.0,
            "pretraining": 0.0,
            "overhead": 9.0,
            "total": 373.0,
        },
        "versions": {"gensynth": "0.1.0"},
        "generators": [],
    }
    (folder / "results.json").write_text(json.dumps(results))
    return folder


def confirmed(accuracy: float) -> dict[str, Any]:
    return {
        "accuracy": accuracy,
        "images": 981,
        "sequences": 327,
        "sequence_accuracy": accuracy,
        "interval": [accuracy - 0.04, accuracy + 0.03],
        "seeds": [7, 8],
        "fold_mean": accuracy,
        "recall": {"happy": 0.95, "fear": 0.5},
        "per_seed": [],
        "unseen": {
            "folds": [3, 4, 5, 6, 7, 8, 9],
            "accuracy": accuracy - 0.01,
            "images": 678,
            "sequences": 226,
            "interval": [accuracy - 0.06, accuracy + 0.03],
        },
    }


@cache
def _study() -> bytes:
    """The study's SQLite file, made once: creating its tables takes a second."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder, "study.db")
        study = optuna.create_study(
            study_name="fake",
            storage=f"sqlite:///{path}",
            directions=["maximize", "minimize", "minimize"],
            sampler=optuna.samplers.RandomSampler(seed=0),
        )
        study.set_metric_names(["accuracy", "params", "macs"])
        for width, accuracy, finished in CANDIDATES:
            _tell(study, width, accuracy, finished)
        return path.read_bytes()


def _tell(study: optuna.Study, width: int, accuracy: float, finished: bool) -> None:
    network = tiny(width)
    metrics = {**cost(network).metrics(), "accuracy": accuracy}
    violations = INDICATOR.violations(metrics)
    study.add_trial(
        create_trial(
            state=TrialState.COMPLETE if finished else TrialState.PRUNED,
            values=[accuracy, metrics["params"], metrics["macs"]] if finished else None,
            params={"width": width},
            distributions={"width": optuna.distributions.IntDistribution(1, 512)},
            user_attrs={
                "genome": network.hash,
                "metrics": metrics,
                "violations": violations,
                "performance": _performance(metrics),
                "fidelity": 1.0 if finished else 0.2,
                "feasible": finished and INDICATOR.feasible(metrics),
            },
            system_attrs={"constraints": list(violations.values())},
        )
    )


def _performance(metrics: Mapping[str, float]) -> float:
    return netscore(metrics["accuracy"], metrics["params"], metrics["macs"])
