# Runs inside the recorded program, before its own sitecustomize: starts the capture,
# takes every trace of itself away, then lets the program's own sitecustomize be found
# (or not found: site ignores the ImportError, exactly as without a recording).
import os
import sys

import gcreplay_capture

_here = os.path.dirname(__file__)
sys.path.remove(_here)
sys.path_importer_cache.pop(_here, None)
_options = os.environ.pop("GCREPLAY_OPTIONS").split(",", 4)
if _options[4]:
    os.environ["PYTHONPATH"] = _options[4]
else:
    del os.environ["PYTHONPATH"]
gcreplay_capture.start(os.environ.pop("GCREPLAY_SPOOL"), *map(int, _options[:4]))
del sys.modules["sitecustomize"], _here, _options
import sitecustomize  # noqa: E402, F401
