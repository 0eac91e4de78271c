"""Photo to face: detection and cropping, and the files that faces and pairs are kept in."""
