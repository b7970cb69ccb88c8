"""The web view as it is, but with only two lost pages kept: run by ``test_attacks.py``."""

from cspsim.web.server import apply_settings, serve

apply_settings()

import cspsim.web.connections as connections  # noqa: E402

connections.MOST_KEPT = 2
serve(port=0, open_browser=False)
