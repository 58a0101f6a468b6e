"""`python -m tieout.faces.cli`."""

from tieout.faces.cli import main

if __name__ == "__main__":
    main(prog_name="tieout")
