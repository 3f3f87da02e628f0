"""The record of frames."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import orjson

from csms.clock import to_micros
from csms.fleet.frame_file import FrameFile


def test_appends_one_line_a_frame_even_when_the_frame_has_line_breaks(tmp_path, clock):
    path = tmp_path / "frames.ndjson"
    for _ in range(2):
        record = FrameFile(path, clock=clock)
        record.write("CS1", "in", b'[2,"1",\n"Reset",{}]')
        record.close()
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    expected = {
        "t": to_micros(clock.now()),
        "identity": "CS1",
        "dir": "in",
        "frame": [2, "1", "Reset", {}],
    }
    assert lines == [expected, expected]


def test_a_frame_that_is_not_json_is_kept_as_text(tmp_path, clock):
    record = FrameFile(tmp_path / "f", clock=clock)
    record.write("CS1", "out", b"[2,\xff")
    record.close()
    assert orjson.loads((tmp_path / "f").read_bytes())["frame"] == "[2,\ufffd"


def test_a_killed_process_loses_nothing_that_was_written(tmp_path):
    path = tmp_path / "frames.ndjson"
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from csms.clock import SystemClock; from csms.fleet.frame_file import FrameFile;"
        "f = FrameFile(Path(sys.argv[1]), clock=SystemClock());"
        "[f.write('CS1', 'out', b'[3,\"%d\",{}]' % n) for n in range(500)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", script, os.fspath(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(path.read_bytes().splitlines()) == 500
