"""FunCodec's network without the package's checks: the same bits, and errors that the workflow reports."""

import pytest
import torch
from pretended_cuda import CUDA, pretended_cuda
from small_codecs import SMALL

import codec_wrappers
from codec_wrappers.resynthesis.shard import resynthesize
from codec_wrappers.resynthesis.stages import ResynthesisError


def test_weights_that_give_no_finite_numbers_are_an_error_and_not_the_end_of_the_process() -> None:
    codec = codec_wrappers.build("funcodec", SMALL["funcodec"])
    assert codec.network is not None
    with torch.no_grad():
        next(codec.network.get_submodule("decoder").parameters()).fill_(torch.nan)
    with pytest.raises(ResynthesisError, match="samples that are not finite"):
        resynthesize(codec, torch.rand(1, 1_000), [1])


def test_the_encoder_runs_without_a_wait_for_the_gpu() -> None:
    codec = codec_wrappers.build("funcodec", SMALL["funcodec"])
    assert codec.network is not None
    with pretended_cuda() as observations, torch.no_grad():
        codec.network.to(CUDA)
        wav = torch.rand(1, 640, device=CUDA)
        observations.clear()
        codec.encode(wav)
    assert observations.num_waits == 0
