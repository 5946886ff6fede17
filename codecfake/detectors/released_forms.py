"""The forms of released detectors: what a file has, and what it does not show. This module needs no torch.

Files of Xie et al. and AASIST hold a back-end. Later ones hold a fine-tuned front-end too, under the names of fairseq.
Nothing in them shows the length of clips, whether waveforms are normalized, the number of attention heads, or the
dilation of Nes2Net: these are those of the published code.
"""

from dataclasses import dataclass, replace
from typing import Any

from codec_wrappers import UNSTATED
from codecfake.base.suggestions import unknown
from codecfake.detectors.front_end_settings import BLOCKS, INCLUDED
from codecfake.detectors.settings import BACK_ENDS

CROP_SAMPLES, PAD = 64_600, "repeat"  # of every released detector, unless its form says otherwise
WHOLE = "whole"  # `crop` of a model that scores each recording in full length, one at a time
FAIRSEQ_VARIANCE_FLOOR = 1e-5
SET = "released"  # in names of models, where others have their training set; `released-NAME` if there are several
SEED = 0  # there, since the authors' seed is not known

Parts = dict[str, Any]  # of a detector: a name and settings


class ReleasedError(ValueError):
    """A released checkpoint cannot be imported."""


@dataclass(frozen=True)
class Released:
    """A published detector, and the index of its logit for bona fide speech."""

    front_end: Parts
    back_end: Parts
    bonafide_index: int
    crop: int | str = CROP_SAMPLES  # samples of a clip, or WHOLE
    front_end_prefix: str | None = None  # of its front-end's tensors, in fairseq's names; None: it has no front-end
    back_end_prefix: str = ""
    published: str = "logit"  # which of PUBLISHED_SCORES its authors' score files have
    code_license: str = UNSTATED
    weights_license: str = UNSTATED
    origin: str = ""  # where the files are


# Configurations of transformers: the keys in which a model differs from the defaults, which are those of base models.
LARGE: Parts = {
    "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096,
    "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True,
}  # fmt: skip
SIZE_1B: Parts = {**LARGE, "hidden_size": 1280, "num_hidden_layers": 48, "intermediate_size": 5120}
SIZE_2B: Parts = {**SIZE_1B, "hidden_size": 1920, "intermediate_size": 7680}
BASE: Parts = {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072}


def whole_front_end(config: Parts, name: str = "wav2vec2", **settings: Any) -> Parts:
    """A whole front-end that is in the file itself."""
    is_large = config.get("do_stable_layer_norm", False)
    own = {"layer": config["num_hidden_layers"], "final_norm": is_large, **settings}
    return {"name": name, "weights": INCLUDED, "config": config, **own}


def on_xls_r(back_end: Parts, origin: str, code_license: str = UNSTATED, **rest: Any) -> Released:
    """A back-end with XLS-R 300M, fine-tuned on waveforms that are not normalized."""
    front_end = rest.pop("front_end", whole_front_end(LARGE, normalize=False))
    return Released(
        front_end, back_end, 1, front_end_prefix="ssl_model.model.", code_license=code_license, origin=origin, **rest
    )


def antideepfake(config: Parts, name: str = "wav2vec2") -> Released:
    """A post-trained model with mean pooling, on normalized recordings of any length."""
    return Released(
        whole_front_end(config, name, normalize=True, variance_floor=FAIRSEQ_VARIANCE_FLOOR),
        {"name": "pooling"},
        bonafide_index=1,
        crop=WHOLE,
        front_end_prefix="m_ssl.model.",
        code_license="BSD-3-Clause",
        weights_license="CC-BY-NC-SA-4.0",
        origin="Zenodo 15580543",
    )


XLS_R: Parts = {"name": "wav2vec2", "weights": "facebook/wav2vec2-xls-r-300m", "layer": 5}
WAVLM: Parts = {"name": "wavlm", "weights": "microsoft/wavlm-large", "layer": 5}  # normalization: not published
RAW_AASIST: Parts = {"name": "aasist", "projection": None, "block_pool": 3, "nodes": "max"}
AASIST_L: Parts = {"channels": [32, 24], "graph_dims": [24, 32], "pool_ratios": [0.4, 0.5, 0.7]}
OF_XIE: dict[str, Any] = {"bonafide_index": 0, "published": "softmax", "origin": "github.com/xieyuankun/Codecfake"}
OF_AASIST: dict[str, Any] = {
    "bonafide_index": 1,
    "code_license": "MIT",
    "weights_license": "MIT",
    "origin": "github.com/clovaai/aasist",
}
OF_NES2NET: dict[str, Any] = {
    "origin": "github.com/Liu-Tianchi/Nes2Net_ASVspoof_ITW",
    "back_end_prefix": "Nested_Res2Net_TDNN.",
}

RELEASED: dict[str, Released] = {
    "mel-lcnn": Released({"name": "mel"}, {"name": "lcnn"}, **OF_XIE),
    "w2v2-lcnn": Released(XLS_R, {"name": "lcnn"}, **OF_XIE),
    "w2v2-aasist": Released(XLS_R, {"name": "aasist"}, **OF_XIE),
    "wavlm-aasist": Released(WAVLM, {"name": "aasist"}, **OF_XIE),
    "aasist": Released({"name": "sinc"}, {**RAW_AASIST, "pool_ratios": [0.5, 0.7, 0.5]}, **OF_AASIST),
    "aasist-l": Released({"name": "sinc"}, {**RAW_AASIST, **AASIST_L}, **OF_AASIST),
    "ssl-aasist": on_xls_r({"name": "aasist"}, "github.com/TakHemlata/SSL_Anti-spoofing", code_license="MIT"),
    "sls": on_xls_r(
        {"name": "sls"},
        "github.com/QiShanZhang/SLSforASVspoof-2021-DF",
        front_end=whole_front_end(LARGE, normalize=False, layers=BLOCKS, final_norm=False),
        published="log_probability",
    ),
    "nes2net": on_xls_r({"name": "nes2net", "form": "plain", "dilation": 2}, **OF_NES2NET),
    "nes2net-x": on_xls_r({"name": "nes2net", "form": "x", "dilation": 2}, **OF_NES2NET),
    "tcm-conformer": on_xls_r(
        {"name": "conformer"}, "github.com/ductuantruong/tcm_add", code_license="MIT", crop=66_800
    ),
    "antideepfake-wav2vec-small": antideepfake(BASE),
    "antideepfake-wav2vec-large": antideepfake(LARGE),
    "antideepfake-mms-300m": antideepfake(LARGE),
    "antideepfake-mms-1b": antideepfake(SIZE_1B),
    "antideepfake-xls-r-1b": antideepfake(SIZE_1B),
    "antideepfake-xls-r-2b": antideepfake(SIZE_2B),
    "antideepfake-hubert-xlarge": antideepfake({**SIZE_1B, "conv_bias": False}, "hubert"),
}


def is_released(training_set: str) -> bool:
    """Whether this is where a model's name says that its weights are released; no training set has such a name."""
    return training_set.startswith(SET)


def find(name: str) -> Released:
    """The form of that name. Raises ReleasedError if it does not exist."""
    if name not in RELEASED:
        raise ReleasedError(unknown("released detector", name, RELEASED))
    return RELEASED[name]


def adjusted(
    name: str, front_end_weights: str | None = None, crop: int | str | None = None, dilation: int | None = None
) -> Released:
    """The form with the choices of the user, where they are not None.

    Raises ReleasedError for an unknown form, and for a choice that the detector does not have.
    """
    released = find(name)
    front_end, back_end = released.front_end, released.back_end
    if crop == WHOLE and not BACK_ENDS.part(back_end["name"]).any_length:
        raise ReleasedError(f"{name} is for clips of {released.crop} samples; give no other length")
    if front_end_weights is not None:
        if released.front_end_prefix is not None:
            raise ReleasedError(f"the file of {name} contains its front-end; give no other weights of a front-end")
        if "weights" not in front_end:
            raise ReleasedError(f"{name} has the front-end {front_end['name']}, which takes no weights; give none")
        front_end = {**front_end, "weights": front_end_weights}
    if dilation is not None:
        if "dilation" not in back_end:
            raise ReleasedError(f"{name} has no dilation, which is of Nes2Net; give none")
        back_end = {**back_end, "dilation": dilation}
    return replace(released, front_end=front_end, back_end=back_end, crop=crop or released.crop)
