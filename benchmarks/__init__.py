"""Each prints ratios from one run, and writes JSON with command, commit and hardware."""
