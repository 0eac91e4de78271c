"""`tripletlab recognise`."""

from pathlib import Path

from tripletlab.commands.options import BundleFolder, GalleryFolder, Photos, Threshold


def recognise(
    photos: Photos,
    bundle: BundleFolder = Path("bundle"),
    gallery: GalleryFolder = Path("gallery"),
    threshold: Threshold = None,
) -> None:
    """Name the people in photos: photo, name or unknown, squared distance, nearest person."""
    from tripletlab.recognition.photos import recognise

    recognise(photos, bundle=bundle, gallery=gallery, threshold=threshold)
