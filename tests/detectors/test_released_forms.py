"""Released detectors with fine-tuned front-ends: their key lists fit our networks, and their logits are the same."""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_vectors import Vector, assert_close, assert_logits
from safetensors.torch import save_file
from torch import Tensor

from codecfake.base import torch_files
from codecfake.detectors import BONAFIDE, models, released, released_forms
from codecfake.detectors.detector import Detector, DetectorSettings
from codecfake.detectors.released import PUBLISHED_SCORES, RELEASED, ReleasedError, import_checkpoint, ours_to_theirs
from codecfake.detectors.released_forms import included
from codecfake.detectors.settings import BACK_ENDS

CPU = torch.device("cpu")
LISTS = {  # form -> the list of its keys
    "ssl-aasist": "ssl_aasist",
    "sls": "sls",
    "nes2net-x": "nes2net_x_speech",
    "tcm-conformer": "tcm_conformer",
    "antideepfake-wav2vec-small": "antideepfake_w2v_small",
    "antideepfake-wav2vec-large": "antideepfake_w2v_large",
    "antideepfake-mms-300m": "antideepfake_mms_300m",
    "antideepfake-mms-1b": "antideepfake_mms_1b",
    "antideepfake-xls-r-1b": "antideepfake_xlsr_1b",
    "antideepfake-xls-r-2b": "antideepfake_xlsr_2b",
    "antideepfake-hubert-xlarge": "antideepfake_hubert_xlarge",
}


def key_list(folder: Path, name: str) -> dict[str, list[int]]:
    """Names and shapes of the tensors of a released file."""
    one = json.loads((folder / "released_key_lists.json").read_text())["lists"][name]
    layers = {
        key.replace("{N}", str(number)): shape
        for number in range(one["layers"])
        for key, shape in one["per_layer"].items()
    }
    keys = {**one["other"], **layers}
    lines = "\n".join(sorted(f"{key} {shape}" for key, shape in keys.items()))
    assert len(keys) == one["keys"]
    assert hashlib.sha256(lines.encode()).hexdigest() == one["sha256_of_sorted_key_shape_lines"]
    return keys


@pytest.mark.parametrize("name", LISTS)
def test_every_tensor_of_a_released_file_has_its_place_and_shape(name: str, golden_detectors: Path) -> None:
    form = RELEASED[name]
    if form.back_end["name"] not in BACK_ENDS:
        pytest.skip(f"needs the back-end {form.back_end['name']}")
    shapes = torch_files.without_wrapper(key_list(golden_detectors, LISTS[name]))
    with torch.device("meta"):
        crop = form.crop if isinstance(form.crop, int) else released_forms.CROP_SAMPLES
        detector = Detector(DetectorSettings(form.front_end, form.back_end), crop)
    expected = {key: list(tensor.shape) for key, tensor in detector.own_state().items()}
    ours = {key: shapes[theirs] for key, theirs in ours_to_theirs(shapes, form).items()}
    unused = set(ours) - set(expected)
    assert {key: shape for key, shape in ours.items() if key not in unused} == expected
    final_norm = {f"front_end.model.encoder.layer_norm.{kind}" for kind in ("weight", "bias")}
    assert unused == (final_norm if name == "sls" else set())
