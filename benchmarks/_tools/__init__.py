"""What the scripts share, and the machinery of speed.py and parallel.py."""
