"""The parts of the docs that are made from the code: `make docs` writes them, a test compares them."""
