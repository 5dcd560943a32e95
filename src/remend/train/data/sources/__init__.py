"""What ``--data`` takes: data sets by their layout, and what can be said of them before training.

``list_records`` lists, ``scan`` examines, ``write_shards`` packs. Nothing here needs PyTorch.
"""

from remend.train.data.sources.containers import Container, is_container
from remend.train.data.sources.formats import FAMILIES, Family, list_records, open_source
from remend.train.data.sources.headers import size_of
from remend.train.data.sources.likeness import Likeness, Pair, duplicates, fingerprint, near_pairs
from remend.train.data.sources.names import few_names, groups_of, split_names
from remend.train.data.sources.record import Listing, Record, Span, Stored, pixels_of
from remend.train.data.sources.scan import Alike, DataReport, Sizes, scan
from remend.train.data.sources.segmentation import Outlined
from remend.train.data.sources.shards import write_shards

__all__ = [
    "FAMILIES",
    "Alike",
    "Container",
    "DataReport",
    "Family",
    "Likeness",
    "Listing",
    "Outlined",
    "Pair",
    "Record",
    "Sizes",
    "Span",
    "Stored",
    "duplicates",
    "few_names",
    "fingerprint",
    "groups_of",
    "is_container",
    "list_records",
    "near_pairs",
    "open_source",
    "pixels_of",
    "scan",
    "size_of",
    "split_names",
    "write_shards",
]
