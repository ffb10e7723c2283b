"""RoIAlign on a CPU as weighted sums of rows, for `keypointrcnn-fast`.

torchvision's kernel for the CPU walks through one channel after another, each time over the whole
map, in one thread.  The same average is a sum over the rows of a map whose channels lie side by
side: sixteen for each cell, with weights that are known beforehand.  PyTorch has that as
`embedding_bag`, with vector instructions and in all threads: a quarter to a half of the processor
time (`benchmarks/roi_align.py`).
"""

from __future__ import annotations

from typing import Any

from estimators.models.torch_import import torch


class RowPool(torch.nn.Module):
    """A `MultiScaleRoIAlign` with the same answers but for rounding.

    Args:
        pool: torchvision's, not `aligned`, with two samples a cell and direction.
    """

    def __init__(self, pool: Any) -> None:
        super().__init__()
        self.pool = pool
        self._cells: tuple[int, int] = tuple(pool.output_size)

    def forward(self, features: Any, boxes: list[Any], sizes: list[tuple[int, int]]) -> Any:
        """See `MultiScaleRoIAlign.forward`: float32 [all boxes, channels, cells, cells]."""
        if self.pool.scales is None:  # it finds them out in its first call
            self.pool(features, [some[:1] for some in boxes], sizes)
        known = [features[name] for name in self.pool.featmap_names if name in features]
        maps = [each.contiguous(memory_format=torch.channels_last) for each in known]
        levels = self.pool.map_levels(boxes)
        every = torch.cat(boxes)
        picture = torch.cat([torch.full((len(some),), n) for n, some in enumerate(boxes)])
        out = torch.empty(len(every), maps[0].shape[1], *self._cells)
        for level, (each, scale) in enumerate(zip(maps, self.pool.scales, strict=True)):
            for number, rows in enumerate(each):
                where = torch.where((levels == level) & (picture == number))[0]
                if len(where):
                    out[where] = aligned(rows, every[where] * scale, self._cells)
        return out


def aligned(rows: Any, boxes: Any, cells: tuple[int, int]) -> Any:
    """RoIAlign (He et al. 2017, section 3) of one map, two samples a cell and direction.

    Args:
        rows: [channels, height, width]; quick where channels lie side by side in memory.
        boxes: [R, 4], left, top, right and bottom in cells of the map.
        cells: how many each box is divided into, rows and columns.

    Returns:
        float32 [R, channels, *cells].
    """
    channels, height, width = rows.shape
    down, across = cells
    left, top, right, bottom = boxes.unbind(1)
    y, of_y = _corners(top, bottom, down, height)
    x, of_x = _corners(left, right, across, width)
    index = y[:, :, None, :, None] * width + x[:, None, :, None, :]
    weight = of_y[:, :, None, :, None] * of_x[:, None, :, None, :] / 4
    table = rows.permute(1, 2, 0).reshape(height * width, channels).float()
    sums = torch.nn.functional.embedding_bag(
        index.reshape(-1, 16), table, mode="sum", per_sample_weights=weight.reshape(-1, 16)
    )
    by_box = sums.view(len(boxes), down * across, channels)
    return by_box.transpose(1, 2).reshape(len(boxes), channels, down, across)


def _corners(start: Any, stop: Any, cells: int, limit: int) -> tuple[Any, Any]:
    """The rows (or columns) that the two samples of each cell lie between, and their shares.

    As torchvision's `pre_calc_for_bilinear_interpolate` has it: a box is at least one cell of the
    map, samples more than a cell outside count nothing, others nearest to the edge count as on it.

    Returns:
        int64 and float32 [R, cells, 4].
    """
    step = (stop - start).clamp(min=1) / cells
    sample = torch.arange(2 * cells) / 2 + 0.25  # (number of the cell) + 1/4, + 3/4
    at = start[:, None] + step[:, None] * sample
    counts = (at >= -1) & (at <= limit)
    at = at.clamp(min=0)
    last = at.floor() >= limit - 1
    low = torch.where(last, limit - 1, at.floor().long())
    share = torch.where(last, 0.0, at - low)
    index = torch.stack([low, torch.where(last, low, low + 1)], -1)
    weight = torch.stack([1 - share, share], -1) * counts[..., None]
    return index.view(len(start), cells, 4), weight.view(len(start), cells, 4)
