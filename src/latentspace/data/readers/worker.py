"""A process that reads image files: takes tasks from standard input, and writes answers to its output."""

import pickle
import signal
import sys

from PIL import Image

from latentspace.data.readers.decode import decoding
from latentspace.data.readers.reading import read_there


def main(most_pixels: str) -> None:
    """Answer tasks; `most_pixels` is Pillow's limit in the process that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asks ends this process
    Image.MAX_IMAGE_PIXELS = int(most_pixels) if most_pixels else None
    tasks, answers = sys.stdin.buffer, sys.stdout.buffer
    with decoding():
        while True:
            try:
                task = pickle.load(tasks)  # noqa: S301 - from the process that began this one
            except EOFError:
                return
            pickle.dump(read_there(task), answers, protocol=pickle.HIGHEST_PROTOCOL)
            answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
