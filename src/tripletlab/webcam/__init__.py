"""The webcam app: who is in front of the camera. Its threads pass on the newest, drop the rest."""
