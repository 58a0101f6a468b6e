"""The promises, one file each: what is looked at on a live database, and the rows that break it."""
