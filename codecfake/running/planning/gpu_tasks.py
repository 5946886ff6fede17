"""The jobs of a run on GPUs, and which of them wait for which."""

from codecfake.experiment import feature_stores
from codecfake.experiment.jobs import JobName
from codecfake.experiment.schema import Experiment
from codecfake.running.planning.schedule import Task

Hours = dict[JobName, tuple[float, int]]  # of all jobs of this name together on GPUs, and the number of jobs


def gpu_tasks(experiment: Experiment, hours: Hours) -> tuple[Task, ...]:
    """The jobs with hours on GPUs, each after those that it needs."""
    jobs = [job for job, (total, number) in hours.items() if total and number]
    names = {task_name(job) for job in jobs}
    return tuple(
        Task(
            task_name(job), hours[job][0] / hours[job][1], hours[job][1],
            tuple(name for name in map(task_name, _needs(experiment, job, jobs)) if name in names),
        )
        for job in jobs
    )  # fmt: skip


def task_name(job: JobName) -> str:
    """Its rule and wildcards: `train_codec encodec`."""
    return " ".join((job[0], *job[1]))


def _needs(experiment: Experiment, job: JobName, jobs: list[JobName]) -> list[JobName]:
    rule, wildcards = job
    if rule in ("resynthesize", "degrade_through"):
        return [("train_codec", (wildcards[0],))]
    if rule == "extract_features":
        return [_audio_job(experiment, *wildcards[1:])]
    if rule == "train_detector":
        audio = _training_audio(experiment, wildcards[1])
        store = feature_stores.name_for(experiment, *wildcards[:2])
        features = [("extract_features", (store, *pair)) for pair in audio] if store else []
        return [*(_audio_job(experiment, *pair) for pair in audio), *features]
    if rule == "score":
        # its recordings and fakes are those of all conditions
        return [
            ("train_detector", wildcards),
            *(each for each in jobs if each[0] in ("resynthesize", "degrade_through", "generate")),
        ]
    return []


def _training_audio(experiment: Experiment, training_set: str) -> list[tuple[str, str]]:
    domains = experiment.training_sets[training_set].domains
    return list(dict.fromkeys(pair for domain in domains for pair in experiment.audio_of_domain(domain)))


def _audio_job(experiment: Experiment, corpus: str, source: str) -> JobName:
    if any(source in codec.sources for codec in experiment.codecs.values()):
        return "resynthesize", (experiment.codec_of(source), corpus)
    return "generate", (corpus,)
