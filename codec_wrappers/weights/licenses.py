"""Under which licenses a codec of an experiment runs: of its code, and of the weights it is given."""

from collections.abc import Mapping
from typing import Any

from codec_wrappers.weights import checkpoints
from codec_wrappers.weights.checkpoints import UNSTATED


def licenses(wrapper: str, weights: Any) -> dict[str, str]:
    """SPDX identifiers of `code` and `weights`; weights trained here have no license but the code's.

    `weights` is as in an experiment: trained, none, `{"official": checkpoint}` or `{"local": path, "license": …}`.
    """
    if isinstance(weights, Mapping) and "official" in weights:
        checkpoint = checkpoints.find(weights["official"])
        return {"code": checkpoint.code_license, "weights": checkpoint.weights_license}
    code = checkpoints.code_licenses()[wrapper]
    local = isinstance(weights, Mapping)
    return {"code": code, "weights": weights.get("license", UNSTATED) if local else code}


def license(wrapper: str, weights: Any) -> str:
    """One line for a table: `MIT`, or `code MIT, weights unstated`."""
    found = licenses(wrapper, weights)
    return found["code"] if len(set(found.values())) == 1 else f"code {found['code']}, weights {found['weights']}"
