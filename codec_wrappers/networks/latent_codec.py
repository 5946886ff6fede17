"""The common part of our own codecs: encoder to a latent, residual quantizer, decoder from the latent."""

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from codec_wrappers.codec import Reconstruction, TrainableCodec, decode_together
from codec_wrappers.networks.initialization import keep_variance
from codec_wrappers.networks.quantizers import ResidualQuantizer
from codec_wrappers.networks.whole_batches import quantize_batch


class LatentCodec(TrainableCodec):
    """A codec with a latent `[B, D, F]` between encoder and decoder."""

    network: nn.Module
    takes_portions = True

    def __init__(self, network: nn.Module) -> None:
        keep_variance(network)
        self.network = network.eval()

    @property
    @abstractmethod
    def quantizer(self) -> ResidualQuantizer: ...

    @abstractmethod
    def to_latent(self, wav: Tensor) -> Tensor:
        """Unquantized latent `[B, D, F]` of wav `[B, T]`."""

    @abstractmethod
    def to_wav(self, latent: Tensor) -> Tensor:
        """Waveform `[B, T']` of a quantized latent `[B, D, F]`."""

    def encode(self, wav: Tensor) -> Tensor:
        return self.quantizer.encode(self.to_latent(wav))

    def decode(self, codes: Tensor) -> Tensor:
        return self.to_wav(self.quantizer.decode(codes))

    def decode_all(self, codes: Tensor, quantizers: Sequence[int]) -> list[Tensor]:
        return decode_together([self.quantizer.decode(codes[:, :number]) for number in quantizers], self.to_wav)

    def reconstruct(self, wav: Tensor, quantize: bool = True) -> Reconstruction:
        self.start_training()
        latent = self.to_latent(wav)
        if not quantize:
            return Reconstruction(self.to_wav(latent), latent.new_zeros(()))
        stages = self.stages_in_step()
        quantization = quantize_batch(self.portion, latent, lambda batch: self.quantizer(batch, stages))
        return Reconstruction(self.to_wav(quantization.latent), quantization.loss)

    def stages_in_step(self) -> int | None:
        """The number of quantizer stages in a training step; None: all."""
        return None
