from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from csms.cli.deliveries import Deliveries, count_deliveries


def test_arrivals_of_the_actions_are_counted_and_nothing_else(tmp_path: Path) -> None:
    records: list[tuple[str, str, list[Any]]] = [
        ("A", "in", [2, "1", "Reset", {}]),
        ("A", "out", [3, "1", {"status": "Accepted"}]),
        ("A", "in", [2, "2", "Reset", {}]),
        ("B", "in", [2, "1", "Reset", {}]),
        ("B", "in", [2, "2", "ClearCache", {}]),
        ("B", "out", [2, "3", "Reset", {}]),
        ("B", "in", [3, "3", {}]),
    ]
    frames = tmp_path / "frames.ndjson"
    frames.write_text(
        "".join(
            json.dumps({"t": 1, "identity": identity, "dir": direction, "frame": frame}) + "\n"
            for identity, direction, frame in records
        )
    )
    assert count_deliveries(frames, {"Reset"}) == Deliveries(delivered=3, stations=2)
    both = count_deliveries(frames, {"Reset", "ClearCache"})
    assert both == Deliveries(delivered=4, stations=2)
