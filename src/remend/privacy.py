"""Libraries that would report home, told not to: what is repaired, and that it is, stays on the machine.

They read these variables when they are loaded, and some load each other, so the package sets them before any
of its modules can load one. Programs that Remend starts inherit them.
"""

import os

__all__ = ["QUIET", "keep_quiet"]

QUIET = {
    # ONNX Runtime 1.2x sends events about the processor, the models and their errors, under a device id that
    # it keeps in ~/.cache, and leaves a file of a fixed name in the folder for temporary files.
    "ORT_DISABLE_TELEMETRY": "1",
    # What asks the hub for weights adds a session id and the names of other libraries to its requests.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "FLWR_TELEMETRY_ENABLED": "0",
    "FLWR_DISABLE_UPDATE_CHECK": "1",
}


def keep_quiet() -> None:
    """Set the variables for this process; whatever they were, since Remend promises it.

    >>> keep_quiet()
    >>> os.environ["ORT_DISABLE_TELEMETRY"]
    '1'
    """
    os.environ.update(QUIET)
