"""What is asked of a sweep's results: effects, robustness, discovery, sensitivity, luck, and the report of them."""
