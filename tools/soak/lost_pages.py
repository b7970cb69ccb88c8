"""How much memory the web view takes while page after page is opened and left without a word; the figures go into lost_pages.txt.

    python tools/soak/lost_pages.py [PAGES]          500 pages unless a number is given

One page stays open all the while and has to answer at the end. A second server that keeps every lost page shows the difference; it is
given an eighth of the pages, which is enough to see what one costs. Linux only: memory is read from /proc.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from browser import Site  # noqa: E402
from page_socket import PageSocket  # noqa: E402

from cspsim.web.server import apply_settings  # noqa: E402

apply_settings()

from cspsim.web.connections import MOST_KEPT  # noqa: E402

SCRIPT = """
from cspsim.web.server import apply_settings, serve
apply_settings()
import cspsim.web.connections as connections
connections.MOST_KEPT = {kept}
serve(port=0, open_browser=False)
"""
SETTLES = 15.0
"""Seconds for runs that are under way to end and for memory to be given back."""


def memory(site: Site) -> float:
    """Resident megabytes of the server."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{site.process.pid}/status").read_text())
    assert found
    return int(found[1]) / 1024


def campaign(pages: int, kept: int) -> list[str]:
    """Open and leave so many Explore pages; the lines to be written."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "serve.py"
        script.write_text(SCRIPT.format(kept=kept))
        site = Site.started(script=script)
        stays = PageSocket(site).open("/explore")
        time.sleep(SETTLES)
        start = most = memory(site)
        slowest, begun = 0.0, time.monotonic()
        lines = [f"{pages} Explore pages left, at most {kept} kept: {start:.0f} MB before"]
        for number in range(1, pages + 1):
            opened = time.monotonic()
            PageSocket(site).open("/explore").close()
            slowest = max(slowest, time.monotonic() - opened)
            most = max(most, memory(site))
            if number % max(1, pages // 5) == 0:
                lines.append(f"  after {number:4d} pages: {memory(site):5.0f} MB, {time.monotonic() - begun:4.0f} s")
                print(lines[-1], flush=True)
        time.sleep(SETTLES)
        after = memory(site)
        lines.append(f"  at the end {after:.0f} MB, at most {most:.0f} MB; {(after - start) / min(pages, kept):.1f} MB for each page kept")
        lines.append(f"  slowest page {slowest:.1f} s; the page that stays open answers: {'yes' if stays.runs() else 'NO'}")
        stays.close()
        site.stop()
    return lines


def main() -> None:
    """Both servers; print and write the figures."""
    pages = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    lines = [*campaign(pages, MOST_KEPT), *campaign(max(1, pages // 8), 10 * pages)]
    (HERE / "lost_pages.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
