"""Gives a YOLO export that was made for one square another input size.

Such a file has the square written into it in three places: the centres and strides of
its boxes, both of which are cut to the new size, and the numbers of cells in the
shapes that its parts are given. Nothing here imports OpenVINO: its module is handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .yolo import COARSEST_STRIDE, STRIDES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


class CannotReshape(Exception):
    """The export is not built in the way that is known here."""


def reshaped(openvino: Any, model: Any, *, height: int, width: int) -> Any:
    """Return a copy with an input of height x width pixels, no larger than before.

    Both are multiples of the coarsest stride. Raises `CannotReshape`.
    """
    model = model.clone()
    _, _, old_height, old_width = model.inputs[0].shape
    if old_height != old_width or max(height, width) > old_width:
        raise CannotReshape(f"The model takes {old_width} x {old_height} pixels.")
    before = _cells(old_height, old_width)
    cells = _cut_centres(openvino, model, before, height=height, width=width)
    old = old_width // COARSEST_STRIDE
    coarse = (height // COARSEST_STRIDE, width // COARSEST_STRIDE)
    counts = {old * old: coarse[0] * coarse[1], before: cells}
    _change_shapes(openvino, model, old=old, coarse=coarse, counts=counts)
    try:
        picture = openvino.PartialShape([1, 3, height, width])
        model.get_parameters()[0].set_partial_shape(picture)
        model.validate_nodes_and_infer_types()
    except RuntimeError as error:
        raise CannotReshape("Its parts do not fit together any more.") from error
    if cells not in model.outputs[0].shape:
        raise CannotReshape("It does not give one box a cell.")
    return model


def _cut_centres(
    openvino: Any, model: Any, cells: int, *, height: int, width: int
) -> int:
    """Drop the boxes whose centres lie outside the new size; return how many stay."""
    centres = _the_constant(model, [1, 2, cells])
    strides = _the_constant(model, [1, 1, cells])
    pixels = centres.data[0] * strides.data[0]
    keep: NDArray[np.bool_] = (pixels[0] < width) & (pixels[1] < height)
    for constant in (centres, strides):
        cut = np.ascontiguousarray(constant.data[:, :, keep])
        smaller = openvino.opset13.constant(cut).output(0)
        for user in constant.output(0).get_target_inputs():
            user.replace_source_output(smaller)
    if keep.sum() != _cells(height, width):
        raise CannotReshape("Its boxes are not the cells of a grid.")
    return int(keep.sum())


def _the_constant(model: Any, shape: list[int]) -> Any:
    found = [
        op
        for op in model.get_ops()
        if op.get_type_name() == "Constant" and list(op.shape) == shape
    ]
    if len(found) != 1:
        raise CannotReshape(f"It has {len(found)} constants of shape {shape}.")
    return found[0]


def _change_shapes(
    openvino: Any,
    model: Any,
    *,
    old: int,
    coarse: tuple[int, int],
    counts: Mapping[int, int],
) -> None:
    """Write the new numbers of cells where parts of the model are given a shape."""
    for op in model.get_ops():
        if op.get_type_name() != "Reshape":
            continue
        target = op.input_value(1).get_node()
        if target.get_type_name() != "Constant":
            continue
        shape = [counts.get(length, length) for length in target.data.tolist()]
        if shape[-2:] == [old, old]:
            shape[-2:] = coarse
        constant = openvino.opset13.constant(np.array(shape, dtype=np.int64))
        op.input(1).replace_source_output(constant.output(0))


def _cells(height: int, width: int) -> int:
    return sum((height // stride) * (width // stride) for stride in STRIDES)
