"""The sums people ask for: aging and DSO, exact to the cent, each with its formula in `docs/formulas/`."""

from tieout.core.measures.aging import BUCKETS, COLUMNS, NO_DUE_DATE, aging, bucket, totals
from tieout.core.measures.dso import PERIOD_DAYS, Dso, days_in_tenths, dso

__all__ = ["BUCKETS", "COLUMNS", "NO_DUE_DATE", "PERIOD_DAYS", "Dso", "aging", "bucket", "days_in_tenths", "dso", "totals"]
