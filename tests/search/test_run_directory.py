from pathlib import Path

import pytest
import yaml

from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.search.run_directory import open_run


def opened(experiment: Experiment) -> None:
    with open_run(experiment):
        pass


def test_a_run_is_continued_only_with_the_same_experiment(small):
    with open_run(small()) as (run, _):
        assert yaml.safe_load(run.config.read_text())["constraint"]["name"] == "nano_b"
    with open_run(small("budget.candidates=99", "workers=3")):
        pass
    with pytest.raises(UserError, match=r"constraint\.bounds\.params\.max is 136000.* 99000") as e:
        opened(small("constraint.bounds.params.max=99000"))
    assert "name=" in str(e.value)
    with pytest.raises(UserError, match="seed is 0 in this run but 1 now"):
        opened(small("seed=1"))


def test_a_second_process_changes_nothing(small):
    with open_run(small()) as (run, _):
        written = run.config.read_text()
        with pytest.raises(UserError, match="another process is at work here"):
            opened(small("budget.candidates=99"))
        assert run.config.read_text() == written


def test_a_mistake_before_the_first_fold_leaves_the_name_free(small):
    with pytest.raises(UserError, match="of a person"), open_run(small()) as (run, _):
        raise UserError("a mistake of a person")
    assert not run.path.exists()
    with open_run(small("seed=1")) as (run, _):
        assert yaml.safe_load(run.config.read_text())["seed"] == 1
    with pytest.raises(UserError, match="of a person"), open_run(small("seed=1")):
        raise UserError("a mistake of a person")
    assert run.config.exists()  # it was there before


def test_a_folder_that_is_no_run_is_left_alone(small):
    experiment = small()
    folder = Path(experiment.runs) / experiment.label
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("x")
    with pytest.raises(UserError, match="not a run directory"):
        opened(experiment)
    assert [path.name for path in folder.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_made_is_named_with_its_remedy(small, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for place in (Path("/proc/gensynth"), tmp_path / "file"):
        with pytest.raises(UserError, match=f"^{place}/small: cannot be made .*; give runs=DIR"):
            opened(small(f"runs={place}"))
