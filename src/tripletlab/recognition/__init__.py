"""A trained network put to use: its bundle, the gallery of known people, who is in a photo."""
