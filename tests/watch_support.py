"""The tiny world as Watch sees it, and one whose titles are an attack."""

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from worlds import tiny_world, write_tiny_world

from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.web.watch.recorded_run import Recording, record

HOSTILE = "<img src=x onerror=alert(1)>\\\"'&{{7*7}}</svg><script>alert(2)</script>"


@lru_cache(maxsize=1)
def tiny() -> Scenario:
    return load_scenario(write_tiny_world(Path(mkdtemp())))


@lru_cache(maxsize=4)
def recorded(seed: int = 4, replicate: int = 1) -> Recording:
    return record(tiny(), seed, replicate)


def write_hostile_world(folder: Path, name: str = "hostile") -> Path:
    """The tiny world with an attack in every title that a page of Watch shows."""
    text = tiny_world()
    for title in ("Tiny world", "Inner borough", "Police", "Local authority", "Health", "Hot spots", "Cctv", "Injury data"):
        text = text.replace(f'title = "{title}"', f'title = "{HOSTILE} {title}"')
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path
