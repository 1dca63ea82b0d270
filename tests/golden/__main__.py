"""Makes the golden record anew."""

import tempfile
from pathlib import Path

from tests import golden

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        golden.save(golden.observe(Path(folder)))
