"""Where a picture lies on the map, by Rasterio (GDAL): another scene brought onto its grid.

Pictures themselves are read and written by the codecs, which keep a GeoTIFF's tags as they are; GDAL is asked
only where one grid has to become another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np

from remend.errors import FormatError
from remend.picture import Bool, Picture

__all__ = ["on_grid_of"]

FORMATS = ("tiff",)  # that carry a place on the map


def on_grid_of(picture: Picture, other: Picture) -> tuple[Picture, Bool] | None:
    """Another scene on the grid of a picture, resampled by cubic convolution.

    Args:
        picture: whose grid it is: pixels of a size, in a place, in a projection.
        other: of any size, grid and projection; both as they were read from files.

    Returns:
        The other scene at the picture's size, and (H, W) bool where it shows nothing; ``other`` itself where
        their grids are one. None where one of them, or both, say no place on the map.

    Raises:
        FormatError: both are TIFFs and the extra is not installed; GDAL reads one of them otherwise.

    Cost: what GDAL's warper costs, 0.1 to 0.3 s a megapixel and band.
    """
    if not all(each.container is not None and each.container.format in FORMATS for each in (picture, other)):
        return None
    library = _library()
    with _opened(library, picture) as here, _opened(library, other) as there:
        if here.crs is None or there.crs is None:
            return None
        same = here.transform.almost_equals(there.transform, precision=1e-6 * abs(here.transform.a))
        if same and here.crs == there.crs and here.shape == there.shape:
            return other, np.zeros(other.size, bool)
        has_nodata = there.nodata is not None or other.alpha_channel is not None
        with library.vrt.WarpedVRT(
            there,
            crs=here.crs,
            transform=here.transform,
            width=here.width,
            height=here.height,
            resampling=library.enums.Resampling.cubic,
            add_alpha=not has_nodata,
        ) as warped:
            samples = warped.read(list(range(1, there.count + 1))).transpose(1, 2, 0)
            empty = warped.dataset_mask() == 0
    if samples.dtype != other.samples.dtype or samples.shape[2] != other.channels.count:
        raise FormatError(f"{_name(other)}: GDAL reads it as {samples.shape[2]} bands of {samples.dtype}")
    return replace(other, samples=np.ascontiguousarray(samples)), empty


def _library() -> ModuleType:
    try:
        import rasterio
        import rasterio.vrt
    except ImportError as error:
        raise FormatError(
            'to compare places on the map needs an extra that is not installed: pip install "remend[geo]"'
        ) from error
    return rasterio  # type: ignore[no-any-return]


@contextmanager
def _opened(library: ModuleType, picture: Picture) -> Iterator[Any]:
    """A picture's file as GDAL sees it."""
    container = picture.container
    assert container is not None
    try:
        if container.data is None:
            with library.open(container.path) as dataset:
                yield dataset
        else:
            with library.MemoryFile(container.data) as file, file.open() as dataset:
                yield dataset
    except library.errors.RasterioError as error:
        raise FormatError(f"{_name(picture)}: GDAL cannot read it ({error}): save it anew") from error


def _name(picture: Picture) -> str:
    return str(picture.container.path or "the scene") if picture.container is not None else "the scene"
