"""What a package outside gensynth adds, one small file each."""
