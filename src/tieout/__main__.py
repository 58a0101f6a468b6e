"""`python -m tieout`."""

from tieout.faces.cli import main

if __name__ == "__main__":
    main(prog_name="tieout")
