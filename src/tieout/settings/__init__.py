"""Settings, one file per environment, and the database they stand on. Importing this package starts nothing."""
