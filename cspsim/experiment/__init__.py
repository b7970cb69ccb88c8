"""What is asked of the results of an experiment: sensitivity, discovery, robustness, hypotheses, calibration and search."""
