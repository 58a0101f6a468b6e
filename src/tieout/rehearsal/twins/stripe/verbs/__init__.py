"""What can be done with the account, a file per kind of object; each lists the requests it answers in `OPERATIONS`."""
