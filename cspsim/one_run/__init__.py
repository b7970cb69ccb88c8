"""one_run"""
