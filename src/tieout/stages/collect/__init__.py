"""Who is due what today: policies in force, releases, decisions with their trace, tasks, the work list."""
