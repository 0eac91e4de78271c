"""Recognition with a trained network: its bundle, the gallery of enrolled people, photos."""
