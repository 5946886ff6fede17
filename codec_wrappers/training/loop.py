"""The training loop of codecs.

Each step updates the generator, then the discriminators. A recipe's stages define when the discriminators take part and
which parts of the codec are frozen.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from codec_wrappers.codec import Reconstruction
from codec_wrappers.training import assembly, checkpoint, results, segments
from codec_wrappers.training.averaging import WeightsAverage
from codec_wrappers.training.curves import CodecCurves
from codec_wrappers.training.objective import Objective
from codec_wrappers.training.recipe import Stage
from codec_wrappers.training.segments import Segments, Sizes
from codec_wrappers.training.settings import CodecTrainingError, CodecTrainingSettings
from codec_wrappers.training.stopping import BEST
from codec_wrappers.training.validation import Validation
from codec_wrappers.weights.loading import digest, load_into, save
from codecfake.base import files, precision, resumable
from codecfake.base.parallel import ALONE, Team
from codecfake.base.portions import Portion
from codecfake.base.progress import progress

__all__ = ["CodecTrainingError", "CodecTrainingSettings", "train"]

CHECKPOINT, TENSORBOARD = "checkpoint.pt", "tensorboard"
WEIGHTS, LAST_WEIGHTS = "weights.safetensors", "last.safetensors"  # the last ones, if others are kept
CODEBOOK_SEGMENTS = 64  # for the start of codebooks: a batch has fewer frames than a codebook has codes
STATISTICS_BATCHES = 4  # of CODEBOOK_SEGMENTS each, for the input statistics of a decoder behind frozen codes
CURVE_STEPS = 10  # steps between points of the training curves


def train(
    settings: CodecTrainingSettings,
    audio_root: Path,
    source: str,
    output: Path,
    device: torch.device,
    workers: int = 0,
    start: Path | None = None,
    team: Team = ALONE,
) -> None:
    """Train on `audio_root/{corpus}/{source}` and write the codec's folder `output`.

    The folder contains `weights.safetensors`, `history.tsv`, `quality.tsv` (before and after training, on held-out
    utterances), `settings.json` with the whole recipe, and TensorBoard events. A killed run, started again with the
    same arguments, continues from its checkpoint and ends (on a CPU) with the same bytes as an uninterrupted one.

    `start`: the weights to start from, a safetensors file or a folder; their codebooks are in use from the first step.

    Every process of a `team` calls it with the same arguments and a device of its own. They train the codec that one
    process would, up to rounding, and share the `workers`. A checkpoint fits any number of processes.

    Raises ParallelError if the recipe's batch is smaller than the team, CodecTrainingError if the codec cannot be
    trained, if a loss or a gradient is not finite, or if there is too little speech, SettingsError if the recipe is
    unknown, and WeightsError if `start` does not fit the codec.
    """
    settings = replace(settings, precision=precision.resolved(settings.precision, device))
    with (
        torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
        precision.training(settings.precision),
    ):
        _Run(settings, audio_root, source, output, device, workers, start, team).finish()


class _Run:
    """A codec in training, its data and its progress."""

    def __init__(
        self,
        settings: CodecTrainingSettings,
        audio_root: Path,
        source: str,
        output: Path,
        device: torch.device,
        workers: int,
        start: Path | None,
        team: Team,
    ) -> None:
        self._settings, self._output, self._device, self._team = settings, output, device, team
        self._workers = -(-workers // team.size)
        torch.manual_seed(settings.seed)
        self._recipe = recipe = settings.resolved()
        self._portion = portion = Portion(team, recipe.batch_size)
        self._codec = codec = assembly.build_codec(settings, portion)
        self._start = "" if start is None else digest(start)
        if start is not None:
            load_into(codec, start)
        self._network = assembly.with_helpers(codec, recipe).to(device)
        self._objective = Objective(recipe, codec.sample_rate, portion).to(device)
        self._objective.precision = settings.precision
        self._generator, self._discriminator = assembly.updates(recipe, self._network, self._objective)
        recordings = segments.list_recordings(audio_root, source, settings.corpora)
        number = settings.validation_utterances
        if recipe.validation is not None:
            number = recipe.validation.num_held_out(len(recordings), least=number)
        for_validation, for_training = segments.split_off(recordings, number, settings.seed)
        sizes = Sizes.of(codec, recipe.segment_duration, recipe.batch_size, assembly.level(codec, recipe))
        self._segments = Segments(audio_root, source, for_training, sizes, settings.seed, portion.rows)
        wavs = segments.whole(audio_root, source, for_validation, codec.sample_rate)
        self._validation = Validation(codec, wavs, settings.quantizers or codec.num_quantizers, device)
        self._average = WeightsAverage(self._network, recipe.weights_average)
        self._learners = assembly.learners(
            self._network, self._average, self._objective, self._generator, self._discriminator
        )
        self._fingerprint = checkpoint.fingerprint(settings, recipe, self._start, recordings)
        self._progress = checkpoint.restore(output / CHECKPOINT, self._learners, self._fingerprint)
        self._make_equal()
        self._stage: Stage | None = None

    def finish(self) -> None:
        """Run the remaining steps, write the results, and remove the checkpoint."""
        now, recipe = self._progress, self._recipe
        folder = self._output / TENSORBOARD if self._settings.tensorboard and self._team.is_first else None
        curves = CodecCurves(folder, now.step, self._codec.sample_rate)
        if not now.untrained:
            now.untrained = self._judge(curves)
        steps = range(now.step + 1, now.step + 1 if self._has_converged() else recipe.steps + 1)
        batches = self._segments.batches(steps, self._workers, self._device)
        bar = progress(
            batches, f"train {self._settings.codec}", total=len(steps), unit="step", silent=not self._team.is_first
        )
        for step, wav in zip(steps, bar, strict=True):
            losses = self._step(step, wav, curves)
            now.step = step
            now.add(losses)
            bar.set_postfix_str(f"loss {losses['loss']:.3f}", refresh=False)
            self._end_step(curves)
            if self._is_validation() and self._has_converged():
                break
        bar.close()
        curves.close()
        if self._team.is_first:
            self._write_results()
            (self._output / CHECKPOINT).unlink(missing_ok=True)

    def _step(self, step: int, wav: Tensor, curves: CodecCurves) -> dict[str, float]:
        """Update generator and discriminators on one batch; returns the losses by name.

        Raises CodecTrainingError, before any update, if a loss or a gradient is not finite.
        """
        stage, quantize = self._enter(step)
        self._seed_step(step)
        self._generator.zero_grad()
        output = self._reconstruct(wav, quantize, self._portion)
        losses = self._objective.backward(output, wav, stage)
        learning = {"generator": self._generator}
        if self._discriminator is not None and stage.adversarial:
            loss = self._objective.discriminator_loss(output.wav, wav)
            losses["discriminator"] = self._portion.total(loss).item()
            if self._recipe.discriminator_learns(losses["discriminator"], losses, stage):
                self._discriminator.zero_grad()
                loss.backward()
                learning["discriminator"] = self._discriminator
        for updates in learning.values():
            updates.add_gradients(self._team)
        norms = {name: updates.clip() for name, updates in learning.items()}
        self._require_finite(step, losses, norms)
        for updates in learning.values():
            updates.apply(step - 1)
        self._average.update(step)
        if step % CURVE_STEPS == 0:
            learning_rates = {name: updates.learning_rate(step - 1) for name, updates in learning.items()}
            for group, values in (("loss", losses), ("gradient norm", norms), ("learning rate", learning_rates)):
                curves.add(group, values, step)
        return losses

    def _enter(self, step: int) -> tuple[Stage, bool]:
        """Prepare the codec for a step; returns the step's stage, and whether the step quantizes."""
        stage = self._recipe.stage(step - 1)
        if stage is not self._stage:
            self._codec.use_decoder(stage.decoder)
            self._codec.freeze(stage.frozen)
            if step - 1 == stage.from_step > 0 and self._recipe.stage(step - 2).decoder != stage.decoder:
                with precision.exact(self._device.type):
                    self._codec.fit_decoder(self._statistics_batches())
                self._make_equal()
            self._stage = stage
        if self._start:
            return stage, True  # the codebooks have learned
        warm_up = min(self._recipe.warm_up_steps, self._recipe.steps // 3)
        if step == warm_up + 1:
            self._start_codebooks(step)
        return stage, step > warm_up

    @torch.no_grad()
    def _start_codebooks(self, step: int) -> None:
        """Start them from a batch of their own, in every process the whole one."""
        self._seed_step(step)
        self._reconstruct(self._segments.draw(segments.BEFORE_TRAINING, CODEBOOK_SEGMENTS).to(self._device), True)
        self._make_equal()

    def _make_equal(self) -> None:
        """Give all processes the state of the first one, where each has computed its own, up to rounding."""
        self._team.copy_state(self._network, self._objective)

    def _statistics_batches(self) -> Iterator[Tensor]:
        wavs = self._segments.draw(segments.BEFORE_TRAINING, STATISTICS_BATCHES * CODEBOOK_SEGMENTS)
        yield from wavs.to(self._device).split(CODEBOOK_SEGMENTS)

    def _reconstruct(self, wav: Tensor, quantize: bool, portion: Portion | None = None) -> Reconstruction:
        self._codec.portion = portion if self._team.size > 1 else None
        with precision.networks(self._settings.precision, self._device.type):
            output = self._codec.reconstruct(wav, quantize)
        semantic = None if output.semantic is None else output.semantic.float()
        return Reconstruction(output.wav.float(), output.quantizer_loss.float(), semantic)

    def _require_finite(self, step: int, losses: Mapping[str, float], norms: Mapping[str, float]) -> None:
        values = {**losses, **{f"gradient of the {name}": norm for name, norm in norms.items()}}
        bad = [f"{name} {value}" for name, value in values.items() if not math.isfinite(value)]
        if bad:
            raise CodecTrainingError(
                f"{self._settings.codec}: not finite at step {step}: {', '.join(bad)}; nothing was updated. Lower the "
                f"learning rates, or check the audio of {', '.join(sorted(set(self._segments.names(step))))}"
            )

    def _end_step(self, curves: CodecCurves) -> None:
        now, settings = self._progress, self._settings
        if self._is_validation():
            now.history.append({"step": now.step, **now.take_means(), **self._judge(curves)})
            if self._team.is_first:
                self._remember_best()
                results.write_history(self._output, now.history)
        if self._team.is_first and (self._is_validation() or now.step % settings.checkpoint_every == 0):
            curves.flush()
            checkpoint.save(self._output / CHECKPOINT, now, self._learners, self._fingerprint)

    def _is_validation(self) -> bool:
        step, recipe = self._progress.step, self._recipe
        every = -(-recipe.steps // self._settings.validations) if recipe.validation is None else recipe.validation.every
        return step % every == 0 or step == recipe.steps

    def _remember_best(self) -> None:
        now, schedule = self._progress, self._recipe.validation
        if schedule is None or schedule.keep != BEST or now.step <= self._last_stage:
            return
        if self._row_of_weights() is now.history[-1]:
            with self._average.in_use(now.step):
                now.best_state = {name: tensor.clone() for name, tensor in self._network.state_dict().items()}

    def _row_of_weights(self) -> Mapping[str, float]:
        """The row of the history whose weights are kept."""
        history, schedule = self._progress.history, self._recipe.validation
        return history[-1] if schedule is None else schedule.row_to_keep(history, self._last_stage)

    @property
    def _last_stage(self) -> int:
        """The number of steps before the last stage."""
        return self._recipe.stages[-1].from_step

    def _has_converged(self) -> bool:
        """Whether the recipe's schedule ends the training here; the first process, which validates, decides."""
        schedule = self._recipe.validation
        if schedule is None:
            return False
        is_end = self._team.is_first and schedule.has_converged(self._progress.history, self._last_stage)
        return bool(self._team.of_first(torch.tensor(float(is_end), device=self._device)).item())

    def _judge(self, curves: CodecCurves) -> dict[str, float]:
        """The quality on the held-out utterances, which is also added to the curves. Only the first process has it."""
        if not self._team.is_first:
            return {}
        step = self._progress.step
        with precision.exact(self._device.type), self._average.in_use(step):
            quality = asdict(self._validation())
        curves.add("validation", quality, step)
        curves.show_examples(self._validation.wavs, self._validation.outputs, step)
        return quality

    def _write_results(self) -> None:
        now, settings = self._progress, self._settings
        row = self._row_of_weights()
        self._codec.drop_helpers()
        with self._average.in_use(now.step):
            if row is not now.history[-1]:
                self._save(LAST_WEIGHTS)
                self._network.load_state_dict({name: now.best_state[name] for name in self._network.state_dict()})
            self._save(WEIGHTS)
        results.write_quality(self._output, now, row, self._start)
        results.write_history(self._output, now.history)
        results.write_settings(self._output, settings, self._recipe, row, self._start)

    def _save(self, name: str) -> None:
        save(self._network, self._output / name, assembly.dtype(self._settings.stored))
        files.seal(self._output / name)

    def _seed_step(self, step: int) -> None:
        """Make dropout of quantizers and new vectors of codebooks depend only on seed and step."""
        resumable.seed_step(self._settings.seed, step)
