"""The verbs of the command line, a room for each kind of work; `terminal` is what all of them speak through."""
