"""Detector adapters, the only place that knows inference engines.

Boxes leave here relative to the picture; what is not in `Label` is dropped. Each
engine is imported by the adapter that needs it, when that is built.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import PIL.Image
import yaml

from .background import BackgroundDetector
from .reshaping import CannotReshape, reshaped
from .types import Box, Detection, Label
from .yolo import (
    COARSEST_STRIDE,
    STRIDES,
    decode_columns,
    decode_rows,
    fit,
    grid_decoder,
    rectangle,
    to_detections,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .types import Frame, Image
    from .yolo import Decode, Letterbox

logger = logging.getLogger(__name__)

COCO_LABELS = {
    0: Label.PERSON,
    1: Label.BICYCLE,
    2: Label.CAR,
    3: Label.MOTORCYCLE,
    5: Label.BUS,
    7: Label.TRUCK,
}
FINISHED_COLUMNS = 6
"""Corners, score, class: what models give that resolve overlaps themselves."""
MAX_SIZES = 4
"""Input sizes that one detector is compiled for; further pictures use the square."""
MAX_STREAMS = 8


class ModelMissing(Exception):
    """There is no model at the path that was given."""


class NotAModel(Exception):
    """What the path holds is no detection model that can be read."""


class NamedDetector(Protocol):
    """A `Detector` that the health page can name."""

    name: str
    fallback: bool
    """True when it stands in for a model that could not be had."""

    def detect(self, frames: Sequence[Frame]) -> list[list[Detection]]: ...


def load_detector(
    path: Path | None, *, min_confidence: float = 0.1, max_overlap: float = 0.7
) -> NamedDetector:
    """Return the adapter for what `path` is, with its weights loaded.

    A folder or .xml is an OpenVINO export, .onnx is run by OpenVINO, .pt by
    ultralytics, and None asks for the detector without weights. `max_overlap` is the
    intersection over union that two boxes of a class may have.
    Raises `ModelMissing` or `NotAModel`.
    """
    if path is None:
        return BackgroundDetector()
    if not path.exists():
        raise ModelMissing(f"There is no model at {path}.")
    adapter = UltralyticsDetector if path.suffix == ".pt" else OpenVinoDetector
    return adapter(path, min_confidence=min_confidence, max_overlap=max_overlap)


@dataclass(frozen=True, slots=True)
class _Network:
    """A model compiled for one input size in pixels."""

    height: int
    width: int
    queue: Any


class OpenVinoDetector:
    """Runs a YOLO export, or raw YOLOX, on the CPU with as many streams as cores.

    Pictures are fitted into the least rectangle that the model can be reshaped to
    (384 x 640 for 16:9), else into the model's own square. One thread at a time.
    """

    fallback = False

    def __init__(
        self, path: Path, *, min_confidence: float, max_overlap: float
    ) -> None:
        import openvino

        self._ov = openvino
        self._core = openvino.Core()
        self._min_confidence = min_confidence
        self._max_overlap = max_overlap
        file = _openvino_file(path)
        self.name = f"OpenVINO {file.stem}"
        try:
            self._model = self._core.read_model(file)
        except RuntimeError as error:
            raise NotAModel(f"{file} cannot be read as a model.") from error
        self._labels = _labels(file)
        self._height, self._width = _input_size(self._model, file)
        self._raw_grid = _is_raw_grid(self._model, file)
        self._reshapes = not self._raw_grid
        self._networks: dict[tuple[int, int], _Network] = {}

    def detect(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Return one list per frame; all streams are busy when frames are many."""
        results: list[list[Detection]] = [[] for _ in frames]
        used = {}
        for position, frame in enumerate(frames):
            network = self._network_for(frame.image)
            tensor, box = fit(
                frame.image,
                width=network.width,
                height=network.height,
                centred=not self._raw_grid,
            )
            network.queue.start_async({0: tensor[None]}, (results, position, box))
            used[network.height, network.width] = network
        for network in used.values():
            network.queue.wait_all()
        return results

    def _network_for(self, image: Image) -> _Network:
        size = (self._height, self._width)
        if self._reshapes:
            size = rectangle(image, side=self._width, stride=COARSEST_STRIDE)
            if size not in self._networks and len(self._networks) >= MAX_SIZES:
                size = (self._height, self._width)
        if size not in self._networks:
            self._networks[size] = self._compile(*size)
        return self._networks[size]

    def _compile(self, height: int, width: int) -> _Network:
        model = self._model.clone()
        if (height, width) != (self._height, self._width):
            try:
                model = reshaped(self._ov, model, height=height, width=width)
            except CannotReshape as error:
                logger.info("%s keeps its square: %s", self.name, error)
                self._reshapes = False
                height, width = self._height, self._width
        compiled = self._core.compile_model(
            self._with_preprocessing(model), "CPU", {"NUM_STREAMS": _streams()}
        )
        queue = self._ov.AsyncInferQueue(compiled)
        queue.set_callback(self._receiver(self._decoder()))
        return _Network(height, width, queue)

    def _decoder(self) -> Decode:
        if self._raw_grid:
            return grid_decoder(width=self._width, height=self._height)
        columns = self._model.outputs[0].shape[2]
        return decode_rows if columns == FINISHED_COLUMNS else decode_columns

    def _with_preprocessing(self, model: Any) -> Any:
        """Let the model take BGR bytes, rows first, as decoders give them."""
        steps = self._ov.preprocess.PrePostProcessor(model)
        picture = steps.input()
        picture.tensor().set_element_type(self._ov.Type.u8)
        picture.tensor().set_layout(self._ov.Layout("NHWC"))
        picture.model().set_layout(self._ov.Layout("NCHW"))
        picture.preprocess().convert_element_type(self._ov.Type.f32)
        if not self._raw_grid:
            picture.preprocess().reverse_channels().scale(255.0)
        return steps.build()

    def _receiver(self, decode: Decode) -> Callable[[Any, Any], None]:
        def receive(
            request: Any, order: tuple[list[list[Detection]], int, Letterbox]
        ) -> None:
            results, position, box = order
            output = request.get_output_tensor(0).data[0]
            results[position] = to_detections(
                decode(output, self._min_confidence),
                box,
                labels=self._labels,
                max_overlap=self._max_overlap,
            )

        return receive


def load_yolo(weights: Path) -> Any:
    """Load a model with ultralytics, and let it neither install nor replace anything.

    It would fetch packages at run time, and its stand-in for Pillow's `open` asks for
    one at every file that is no picture.
    """
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    pillow_open = PIL.Image.open
    from ultralytics import YOLO  # type: ignore[attr-defined]

    PIL.Image.open = pillow_open
    return YOLO(str(weights), task="detect")


def export_openvino(weights: Path) -> Path:
    """Export a .pt file for OpenVINO beside it; return the new folder.

    Raises `ModelMissing` or `NotAModel`.
    """
    if not weights.exists():
        raise ModelMissing(f"There is no model at {weights}.")
    try:
        return Path(load_yolo(weights).export(format="openvino"))
    except Exception as error:
        raise NotAModel(f"{weights} cannot be exported for OpenVINO.") from error


class UltralyticsDetector:
    """Runs a .pt file through ultralytics and torch."""

    fallback = False

    def __init__(
        self, path: Path, *, min_confidence: float, max_overlap: float
    ) -> None:
        self.name = f"ultralytics {path.stem}"
        self._min_confidence = min_confidence
        self._max_overlap = max_overlap
        try:
            self._model = load_yolo(path)
            names = self._model.names
        except Exception as error:
            raise NotAModel(f"{path} cannot be read as a model.") from error
        self._labels = _known(names, path)

    def detect(self, frames: Sequence[Frame]) -> list[list[Detection]]:
        """Return one list per frame."""
        if not frames:
            return []
        found: Any = self._model.predict(
            [frame.image for frame in frames],
            conf=self._min_confidence,
            iou=self._max_overlap,
            classes=list(self._labels),
            verbose=False,
        )
        return [self._detections(result.boxes) for result in found]

    def _detections(self, boxes: Any) -> list[Detection]:
        return [
            Detection(Box(*corners), self._labels[int(class_id)], confidence)
            for corners, class_id, confidence in zip(
                boxes.xyxyn.tolist(),
                boxes.cls.tolist(),
                boxes.conf.tolist(),
                strict=True,
            )
        ]


def _openvino_file(path: Path) -> Path:
    """Return the file in an exported folder, or the file itself."""
    if not path.is_dir():
        if path.suffix not in {".xml", ".onnx"}:
            raise NotAModel(f"{path} is neither an OpenVINO folder, .onnx nor .pt.")
        return path
    files = sorted(path.glob("*.xml"))
    if len(files) != 1:
        raise NotAModel(f"{path} holds {len(files)} .xml files, expected one.")
    return files[0]


def _labels(file: Path) -> Mapping[int, Label]:
    """Return the wanted classes, by the export's own names, else in COCO's order."""
    metadata = file.parent / "metadata.yaml"
    if file.suffix != ".xml" or not metadata.exists():
        return COCO_LABELS
    try:
        return _known(dict(yaml.safe_load(metadata.read_text())["names"]), file)
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise NotAModel(f"{metadata} does not name the model's classes.") from error


def _known(names: Mapping[int, str], file: Path) -> dict[int, Label]:
    """Return those of a model's classes that are wanted."""
    wanted = {label.value: label for label in Label}
    known = {number: wanted[name] for number, name in names.items() if name in wanted}
    if not known:
        raise NotAModel(f"{file} finds neither people nor vehicles.")
    return known


def _input_size(model: Any, file: Path) -> tuple[int, int]:
    """Return the height and width that a model was exported for."""
    shape = model.inputs[0].partial_shape
    if len(model.inputs) != 1 or shape.is_dynamic or len(shape) != 4:
        raise NotAModel(f"{file} does not take pictures of a fixed size.")
    _, _, height, width = shape.to_shape()
    return height, width


def _is_raw_grid(model: Any, file: Path) -> bool:
    """Tell YOLOX's raw cells from boxes that are already decoded."""
    height, width = _input_size(model, file)
    shape = model.outputs[0].partial_shape
    if shape.is_dynamic or len(shape) != 3:
        raise NotAModel(f"{file} does not answer as a YOLO model does.")
    cells = sum((height // stride) * (width // stride) for stride in STRIDES)
    _, rows, columns = shape.to_shape()
    return bool(rows == cells and columns > FINISHED_COLUMNS)


def _streams() -> int:
    """Return how many inferences run at once: one a core that we may use."""
    return min(len(os.sched_getaffinity(0)), MAX_STREAMS)
