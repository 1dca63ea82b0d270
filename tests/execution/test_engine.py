import stat
from pathlib import Path

from gensynth.evaluation.protocol import CrossValidations
from gensynth.execution.cluster import cluster
from gensynth.execution.engine import execute
from gensynth.execution.jobs import Dispatcher
from gensynth.execution.journal import Journal
from gensynth.execution.units import Unit
from gensynth.genome import Flatten, Genome, InputShape
from gensynth.search import Setting


def test_a_failed_training_says_what_failed(setting: Setting, tmp_path: Path):
    """Not only that it failed: the exception's type and text."""
    wide = Genome(
        name="wide",
        input=InputShape(channels=3, height=8, width=8),
        nodes=(Flatten(id="f", inputs=("input",)),),
        outputs={"logits": "f"},
    )
    source = CrossValidations(wide, [(Unit(0, 1, 0),)])
    token = Path.home() / ".ray" / "auth_token"
    if token.exists():
        token.chmod(0o644)  # as Ray makes it
    with Journal(tmp_path / "journal.jsonl") as journal, cluster(1) as folder:
        execute(Dispatcher((source,), journal), setting, 1, folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert source.failure is not None
    assert "UserError: wide: reads images of 3×8×8" in source.failure
