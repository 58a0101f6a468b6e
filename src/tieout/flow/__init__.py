"""What follows what: one file per trigger, each a list of verbs one can read aloud; jobs, schedule, wiring, the clock."""
