"""`python -m stackwise` is the same program as `stackwise`."""

from stackwise.cli import main

if __name__ == "__main__":
    main()
