"""The web view: explore, watch, play and the facilitator's kit."""
