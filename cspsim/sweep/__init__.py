"""Sweeps: from an experiment file over a design to stored runs, on one machine or many."""
