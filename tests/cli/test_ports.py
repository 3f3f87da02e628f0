"""Ports that serve a part alone, in a real process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csms.cli.children import free_port
from csms.cli.http import Client
from tests.cli.test_sign_in import serving

if TYPE_CHECKING:
    from pathlib import Path


def test_a_port_for_programs_takes_no_stations(tmp_path: Path) -> None:
    port = free_port(0)
    with serving(tmp_path, "--listen", f"0.0.0.0:{port},api-only") as (lines, _):
        said = []
        for line in lines:
            said.append(line.strip())
            if line.startswith("sign in"):
                break
        at = [line.split()[-1] for line in said if line.startswith("page")]
        assert len([line for line in said if line.startswith("in the clear")]) == 1
        assert len([line for line in said if line.startswith("stations")]) == 1
        both, programs = (Client(url.rstrip("/"), "") for url in (at[0], at[-1]))
        assert programs.url.endswith(f":{port}")
        assert (both.answers("/healthz"), programs.answers("/healthz")) == (True, True)
        assert (both.welcomes_stations(), programs.welcomes_stations()) == (True, False)
