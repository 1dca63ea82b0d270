"""Names of Ray that are its own affair. Seen to hold for 2.60.0; ``setup.cfg`` allows 2.

==========================  ======================================================================
name                        why no public one does
==========================  ======================================================================
``ray.init(_temp_dir=…)``   Ray keeps sockets and logs in one folder for all runs otherwise, which
                            several people share, and leaves them there.
environment variables       Tune reports, checkpoints, changes the working directory, takes Ctrl-C
``RAY_…`` and ``TUNE_…``    and warns by itself; its public configuration turns off only part of it.
==========================  ======================================================================
"""

from __future__ import annotations

SEEN = ("2.60.0",)

FOLDER_ARGUMENT = "_temp_dir"
"""Argument of ``ray.init``: the folder for sockets and logs."""

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "600",
}
"""Nothing is reported, logged or checkpointed by Ray."""

TOKEN_PATH = "RAY_AUTH_TOKEN_PATH"
"""Where the token is that a Ray answers to; ``~/.ray/auth_token`` where that says nothing."""

PENDING = "TUNE_MAX_PENDING_TRIALS_PG"
"""Trials that Tune prepares ahead: no more than there are workers."""
