"""The images of an engine: pulled when they are needed, removed when the disk fills.

`Images` is what the provider uses; `sandbox/image_settings.py` is what a person may set.
"""

from sandbox.docker.images.images import Images
from sandbox.docker.images.progress import PullProgress, PullState, in_words
from sandbox.image_settings import ImageSettings

__all__ = ["ImageSettings", "Images", "PullProgress", "PullState", "in_words"]
