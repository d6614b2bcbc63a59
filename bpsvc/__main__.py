"""`python -m bpsvc`: the command line."""

from bpsvc.cli import main

if __name__ == "__main__":
    main()
