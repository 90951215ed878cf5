"""Turns a fine-tuned encoder into ONNX with 8-bit weights that the engine runs without torch."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from torch import nn

from recommender.ranking.versions import sha256_of
from recommender.struggles.encoder import MODEL_FILE, OUTPUTS, TOKENIZER_FILE
from recommender.training.encoder.base import BaseEncoder

# Blocks of 128 weights share a scale: cosine to float32 above .999 at one byte a weight.
BLOCK = 128
BITS = 8
# Products in 8-bit integers with a scale a row and block: four times as fast here, and still each text by itself.
INT8_PRODUCTS = 4
OPSET = 17


class _TokenStates(nn.Module):  # type: ignore[misc]
    """ids (1, length) to the states (1, length, dimensions) of the last and of the last frozen layer."""

    def __init__(self, base: BaseEncoder, frozen_layers: int) -> None:
        super().__init__()
        self._base = base
        self._frozen_layers = frozen_layers
        self.registered = nn.ModuleList([base.embeddings, *base.layers])

    def forward(self, input_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        lower = self._base.run(self._base.embed_ids(input_ids), 0, self._frozen_layers)
        return self._base.run(lower, self._frozen_layers, len(self._base.layers)), lower


def export_encoder(base: BaseEncoder, frozen_layers: int, encoders: Path) -> Path:
    """Write ``encoder.onnx`` and ``tokenizer.json`` to ``encoders/<first 12 hex digits of the ONNX SHA-256>/``.

    Weights are stored in 8 bits. Products round each row's block of activations to 8 bits with a scale of its own, so a
    text's states do not depend on anything but the text (the engine reads one text a call besides).
    """
    with tempfile.TemporaryDirectory() as scratch:
        full, small = Path(scratch) / "full.onnx", Path(scratch) / MODEL_FILE
        _export_float32(base, frozen_layers, full)
        _quantise(full, small)
        folder = encoders / sha256_of(small)[:12]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(small, folder / MODEL_FILE)
    base.tokenizer.save(str(folder / TOKENIZER_FILE), pretty=False)
    return folder


def _export_float32(base: BaseEncoder, frozen_layers: int, file: Path) -> None:
    example = torch.randint(5, 1_000, (1, 40))
    axes = {name: {1: "length"} for name in ("input_ids", *OUTPUTS)}
    module = _TokenStates(base, frozen_layers).eval()
    with torch.no_grad():
        torch.onnx.export(
            module, (example,), str(file), input_names=["input_ids"], output_names=list(OUTPUTS), dynamic_axes=axes,
            opset_version=OPSET, dynamo=False,
        )  # fmt: skip


def _quantise(full: Path, small: Path) -> None:
    config = DefaultWeightOnlyQuantConfig(block_size=BLOCK, is_symmetric=True, bits=BITS, accuracy_level=INT8_PRODUCTS)
    # It logs every node it passes; nobody reads a thousand lines.
    logging.getLogger(MatMulNBitsQuantizer.__module__).setLevel(logging.WARNING)
    quantiser = MatMulNBitsQuantizer(onnx.load(full), algo_config=config)
    quantiser.process()
    model = quantiser.model.model
    _quantise_embeddings(model)
    onnx.save(model, small)


def _quantise_embeddings(model: onnx.ModelProto) -> None:
    """Store each Gather table as int8 rows with one scale a row: look the row up, then multiply."""
    tables = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in list(model.graph.node):
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or np.prod(table.dims) < 50_000:
            continue
        values = numpy_helper.to_array(table).astype(np.float32)
        scale = np.maximum(np.abs(values).max(axis=1, keepdims=True), 1e-8) / 127
        rows = np.clip(np.round(values / scale), -127, 127).astype(np.int8)
        name, output = node.input[0], node.output[0]
        model.graph.initializer.remove(table)
        model.graph.initializer.extend(
            [
                numpy_helper.from_array(rows, f"{name}_int8"),
                numpy_helper.from_array(scale.astype(np.float32), f"{name}_scale"),
            ]
        )
        position = list(model.graph.node).index(node)
        model.graph.node.remove(node)
        replacement = [
            helper.make_node("Gather", [f"{name}_int8", node.input[1]], [f"{output}_row"], axis=0),
            helper.make_node("Gather", [f"{name}_scale", node.input[1]], [f"{output}_row_scale"], axis=0),
            helper.make_node("Cast", [f"{output}_row"], [f"{output}_row_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{output}_row_float", f"{output}_row_scale"], [output]),
        ]
        for offset, new in enumerate(replacement):
            model.graph.node.insert(position + offset, new)
