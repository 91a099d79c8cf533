"""The program under test, which is the first argument of the command line of a test."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HEED = Path(sys.argv.pop(1)).resolve()

# So little work is done no sooner by two threads, and a thread that waits for another takes the time
# of a test that runs beside this one. Tests that say --threads, and test_threads.py, have more.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def heed(*arguments, text="", code=None, **options):
    """Runs it to the end. `code`: how it must exit."""
    result = subprocess.run([HEED, *map(str, arguments)], input=text, text=True,
                            capture_output=True, timeout=300, **options)
    assert code in (None, result.returncode), f"{arguments}: {result.returncode}\n{result.stderr}"
    return result


def stop_training(arguments, log, step, sent=signal.SIGINT, **options):
    """Sends a signal to a training once its log has the step; (exit code, stderr)."""
    process = subprocess.Popen([HEED, *map(str, arguments)], text=True, stderr=subprocess.PIPE,
                               stdout=subprocess.DEVNULL, **options)
    while process.poll() is None and not (log.exists() and f'"step":{step},' in log.read_text()):
        time.sleep(0.002)
    process.send_signal(sent)
    errors = process.communicate(timeout=60)[1]
    return process.returncode, errors
