"""Charts: a sentence, one unit, a labelled last point, a band for doubt. Pure functions from values to SVG."""
