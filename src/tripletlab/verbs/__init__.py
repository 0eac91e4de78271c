"""The verbs of the command line, each short, and what several of them share."""
