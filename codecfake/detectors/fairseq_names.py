"""Names of weights in fairseq's wav2vec 2.0 and HuBERT, and in transformers' models of the same networks.

Most released detectors were trained with fairseq and contain its front-end, under the names of that library.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")
PRETRAINING = ("quantizer.", "project_q.", "final_proj.", "label_embs_concat")  # parts that features do not need
RENAMED: tuple[tuple[str, str], ...] = (  # whole names as patterns, and what transformers calls them
    (r"mask_emb", "masked_spec_embed"),
    (r"feature_extractor\.conv_layers\.(\d+)\.0\.(weight|bias)", r"feature_extractor.conv_layers.\1.conv.\2"),
    # a norm after every convolution, or after the first one only
    (r"feature_extractor\.conv_layers\.(\d+)\.2\.1\.(weight|bias)", r"feature_extractor.conv_layers.\1.layer_norm.\2"),
    (r"feature_extractor\.conv_layers\.0\.2\.(weight|bias)", r"feature_extractor.conv_layers.0.layer_norm.\1"),
    (r"layer_norm\.(weight|bias)", r"feature_projection.layer_norm.\1"),
    (r"post_extract_proj\.(weight|bias)", r"feature_projection.projection.\1"),
    (r"encoder\.pos_conv\.0\.bias", "encoder.pos_conv_embed.conv.bias"),
    (r"encoder\.pos_conv\.0\.weight_g", "encoder.pos_conv_embed.conv.parametrizations.weight.original0"),
    (r"encoder\.pos_conv\.0\.weight_v", "encoder.pos_conv_embed.conv.parametrizations.weight.original1"),
    (r"encoder\.layer_norm\.(weight|bias)", r"encoder.layer_norm.\1"),
    (r"encoder\.layers\.(\d+)\.self_attn\.((?:q|k|v|out)_proj\.\w+)", r"encoder.layers.\1.attention.\2"),
    (r"encoder\.layers\.(\d+)\.self_attn_layer_norm\.(\w+)", r"encoder.layers.\1.layer_norm.\2"),
    (r"encoder\.layers\.(\d+)\.fc1\.(\w+)", r"encoder.layers.\1.feed_forward.intermediate_dense.\2"),
    (r"encoder\.layers\.(\d+)\.fc2\.(\w+)", r"encoder.layers.\1.feed_forward.output_dense.\2"),
    (r"encoder\.layers\.(\d+)\.final_layer_norm\.(\w+)", r"encoder.layers.\1.final_layer_norm.\2"),
)


def in_transformers(state: Mapping[str, T]) -> dict[str, T]:
    """A state of fairseq's Wav2Vec2Model or HubertModel under the names of transformers, without pre-training parts.

    A name that fairseq does not have stays as it is, so that fitting the state to a network reports it.
    """
    return {renamed(name): value for name, value in state.items() if not name.startswith(PRETRAINING)}


def renamed(name: str) -> str:
    """The name of one tensor in transformers; a name that fairseq does not have stays as it is."""
    for pattern, replacement in RENAMED:
        if match := re.fullmatch(pattern, name):
            return match.expand(replacement)
    return name
