"""Tests of single rules share the helpers beside the folder (``worlds``, ``rules_support``), also when run alone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
