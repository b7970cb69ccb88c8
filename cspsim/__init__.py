"""cspsim: an agent-based simulation of Community Safety Partnerships."""
