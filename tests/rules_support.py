"""One rule at a time on a tiny world: what every test of a rule needs. See ``Bench``.

    bench = Bench(make_world(levers={"targets": 1}, uncertainties={"gaming": 0.1}, recording=0.9))
    bench.state.true_crimes[:] = 100
    bench.run(record_crimes, MAY)
    assert bench.state.recorded[INNER, BURGLARY, MAY] == ...
"""

import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from worlds import write_tiny_world

from cspsim.layout import build_world
from cspsim.luck import Luck, new_luck
from cspsim.month import begin_run
from cspsim.parameters import Floats, Levers, register_of_floats
from cspsim.scenario import load_scenario
from cspsim.simulate import state_for
from cspsim.state import State, axes_of_state
from cspsim.structures import packed
from cspsim.world import World
