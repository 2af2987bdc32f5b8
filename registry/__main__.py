"""`python -m registry`: the command line."""

from registry.cli import main

if __name__ == "__main__":
    main()
