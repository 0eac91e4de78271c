"""The file of the YuNet network, which is not part of the package: downloaded on request."""

from pathlib import Path

from tripletlab.errors import InputError, brief
from tripletlab.system.caches import user_cache

NAME = "face_detection_yunet_2026may.onnx"
SHA256 = "ebafce4e3c118d6554634be5c27ab333b4c047a9a8c3faf1d7cf93101c22f0f0"
ADDRESS = f"https://github.com/opencv/opencv_zoo/raw/main/models/face_detection_yunet/{NAME}"  # MIT


def fetch(address: str = ADDRESS) -> Path:
    """The file in the user's cache, where `faces=yunet` finds it; downloaded if it is not there.

    InputError, with nothing kept, where the address does not answer or has another file.
    """
    import pooch

    pooch.get_logger().setLevel("ERROR")
    folder = user_cache()
    elsewhere = "give another --from, or a file of yours by TRIPLETLAB_YUNET"
    try:
        return Path(pooch.retrieve(address, f"sha256:{SHA256}", NAME, folder))
    except OSError as error:  # of the network as well
        raise InputError(
            f"{address}: cannot be downloaded ({brief(error)}); {elsewhere}"
        ) from error
    except ValueError as error:  # another checksum, or no address that can be read
        raise InputError(
            f"{address}: not {NAME}, whose SHA-256 begins with {SHA256[:12]}; {elsewhere}"
        ) from error
