"""Under which licences a codec of an experiment runs: of its code, and of the weights it is given."""

from collections.abc import Mapping
from typing import Any

from codec_wrappers import checkpoints
from codec_wrappers.checkpoints import UNSTATED


def licences(wrapper: str, weights: Any) -> dict[str, str]:
    """SPDX identifiers of `code` and `weights`; weights trained here have no licence but the code's.

    `weights` is as in an experiment: trained, none, `{"official": checkpoint}` or `{"local": path, "licence": …}`.
    """
    if isinstance(weights, Mapping) and "official" in weights:
        checkpoint = checkpoints.find(weights["official"])
        return {"code": checkpoint.code_licence, "weights": checkpoint.weights_licence}
    code = checkpoints.code_licences()[wrapper]
    local = isinstance(weights, Mapping)
    return {"code": code, "weights": weights.get("licence", UNSTATED) if local else code}


def licence(wrapper: str, weights: Any) -> str:
    """One line for a table: `MIT`, or `code MIT, weights unstated`."""
    found = licences(wrapper, weights)
    return found["code"] if len(set(found.values())) == 1 else f"code {found['code']}, weights {found['weights']}"
