"""Bundles that are wrong in one way; loaded by path, as nothing here is a package."""

import orjson

from liqwarn.models.model_files import MANIFEST, write_folder
from liqwarn.models.signed_bundle import sign_bundle


def rewrite(folder, key, change, part="model"):
    """Change the files of a part, then hash and sign the bundle anew: damage that we signed."""
    raw = orjson.loads((folder / part / MANIFEST).read_bytes())
    files = {name: (folder / part / name).read_bytes() for name in raw["files"]}
    change(files)
    write_folder(folder / part, files)
    return sign_bundle(folder, key)


def cut_tree(folder, key, share=0.5, name="onset_4h_0.txt"):
    """A LightGBM text that ends too early, which kills whoever parses it."""

    def cut(files):
        files[name] = files[name][: int(len(files[name]) * share)]

    return rewrite(folder, key, cut)


def other_leaf(folder, key):
    """A model that gives other scores than its probes say."""

    def change(files):
        name = "onset_4h_0.txt"
        lines = files[name].split(b"\n")
        at = next(k for k, line in enumerate(lines) if line.startswith(b"leaf_value="))
        digits = bytes.maketrans(b"123456789", b"234567891")  # the text keeps its length
        lines[at] = lines[at].translate(digits)
        files[name] = b"\n".join(lines)

    return rewrite(folder, key, change)
