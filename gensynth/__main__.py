"""``python -m gensynth``."""

from gensynth.cli import main

if __name__ == "__main__":
    main()
