"""`python -m csms` is the command `csms`."""

from csms.cli.main import main

if __name__ == "__main__":
    main()
