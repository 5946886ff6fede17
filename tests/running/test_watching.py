"""Following a run by its files: where each job stands, how long it will take, what failed and what helps."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from places import ROOT

from codecfake.__main__ import main
from codecfake.audio.shards import Provenance
from codecfake.base import files
from codecfake.base.usage import Usage, found_in
from codecfake.report.timing import job_table, rule_rows, write_timing
from codecfake.running import run_lock
from codecfake.running.watching import following
from codecfake.running.watching.bars import last_bar
from codecfake.running.watching.failures import SILENT, failures, remedy
from codecfake.running.watching.forecast import forecast
from codecfake.running.watching.jobs import LIST, Run, State, WatchError, read_run, write_list
from codecfake.running.watching.records import Record, read_record
from codecfake.running.watching.text import duration, line, rate, table
from codecfake.running.watching.work import Work, work_of

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
BAR = "train dac:  25%|=====      | 25/100 [00:30<01:30,  1.20s/step]"


def write(directory: Path, age: float, path: str, text: str) -> None:
    """A file last written `age` seconds ago."""
    files.write_text(directory / path, text)
    os.utime(directory / path, (time.time() - age,) * 2)


def record(seconds: float, memory: str = "100.00", cpu: str = "1.00") -> str:
    return f"{HEADER}{seconds:.2f}\t0:00:00\t{memory}\t1\t1\t1\t0\t0\t0\t{cpu}\n"


Leave = Callable[..., Run]


@pytest.fixture
def leave(tmp_path: Path) -> Leave:
    """What a run of 100 s has left behind: for each job the seconds of its record, or its log alone, or nothing."""

    def leave(**jobs: float | str | None) -> Run:
        names = {name.replace("__", "/"): content for name, content in jobs.items()}
        write_list(tmp_path, list(names))
        os.utime(tmp_path / LIST, (time.time() - 100,) * 2)
        for name, content in names.items():
            if content is not None:
                write(tmp_path, 20, f"logs/{name}.log", content if isinstance(content, str) else "done\n")
            if isinstance(content, float):
                write(tmp_path, 10, f"results/benchmarks/{name}.tsv", record(content))
        return read_run(tmp_path)

    return leave


def test_a_job_is_done_when_it_has_a_record_and_started_when_it_has_a_log(leave: Leave) -> None:
    run = leave(ingest=4.0, train__dac=BAR, train__lyra=None)
    assert {job.name: job.state for job in run.jobs} == {
        "ingest": State.COMPLETE,
        "train/dac": State.ACTIVE,
        "train/lyra": State.TO_COME,
    }


def test_logs_and_records_of_an_earlier_run_do_not_count(leave: Leave, tmp_path: Path) -> None:
    leave(ingest=None)
    write(tmp_path, 500, "logs/ingest.log", "")
    write(tmp_path, 500, "results/benchmarks/ingest.tsv", record(7.0))
    (job,) = read_run(tmp_path).jobs
    assert job.state is State.TO_COME
    assert job.record == Record(7.0, 1.0, 100.0)


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(WatchError, match="no run has started in .*--run"):
        read_run(tmp_path)


def test_a_record_of_a_short_job_has_a_time_alone_and_half_a_record_is_none(tmp_path: Path) -> None:
    write(tmp_path, 0, "short.tsv", record(0.31, "NA", "NA"))
    write(tmp_path, 0, "half.tsv", HEADER[:20])
    nothing = tmp_path / "none.log"
    assert read_record(tmp_path / "short.tsv", nothing) == Record(0.31, None, None)
    assert read_record(tmp_path / "half.tsv", nothing) is None
    assert read_record(tmp_path / "none.tsv", nothing) is None


def test_what_the_commands_of_a_job_tell_in_its_log_counts_before_what_snakemake_sampled(tmp_path: Path) -> None:
    write(tmp_path, 0, "job.tsv", record(9.0))
    write(tmp_path, 0, "job.log", f"INFO one\n{Usage(1.5, 300)}\nINFO two\n{Usage(2.25, 200)}\n")
    assert read_record(tmp_path / "job.tsv", tmp_path / "job.log") == Record(9.0, 3.75, 300.0)


def test_a_step_tells_the_processor_time_and_memory_that_it_used(tmp_path: Path) -> None:
    write(tmp_path, 0, "audit.json", json.dumps({"faults": []}))
    command = [
        sys.executable,
        "-m",
        "codecfake",
        "step",
        "audit-verdict",
        "--audit",
        "audit.json",
        "--output",
        "passed",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = found_in(done.stderr.splitlines())
    assert told is not None
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert 0.01 < told.cpu_seconds <= used.ru_utime + used.ru_stime
    assert 5 < told.max_rss_mb <= used.ru_maxrss / 1024 + 0.5


@pytest.mark.parametrize(
    ("line", "seconds", "rest"),
    [
        (BAR, 120, 90),
        ("epoch 3/4:  50%|===   | 5/10 [00:05<00:05, 1.00batch/s, loss 0.1]", 40, 15),
        ("scores:  10%|=  | 1/10 [1:00:00<9:00:00, 1.00batch/s]", 36000, 32400),
    ],
)
def test_a_bar_says_how_long_the_whole_of_its_job_takes(tmp_path: Path, line: str, seconds: int, rest: int) -> None:
    write(tmp_path, 0, "job.log", f"INFO running on cpu\n{line}\nINFO a line after it\n")
    bar = last_bar(tmp_path / "job.log")
    assert bar is not None
    assert (bar.seconds, bar.remaining) == (seconds, rest)


def test_a_bar_that_has_just_begun_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, 0, "job.log", "train dac:   0%|       | 0/100 [00:00<?, ?step/s]\n")
    assert last_bar(tmp_path / "job.log") is None
    assert last_bar(tmp_path / "none.log") is None


def test_jobs_to_come_take_as_long_as_those_done_of_their_rule(leave: Leave) -> None:
    run = leave(record__a=10.0, record__b=30.0, record__c=None, record__d=None)
    assert forecast(run, elapsed=100).seconds == 2 * 20


def test_what_is_left_is_shared_by_as_many_jobs_as_run_side_by_side(leave: Leave) -> None:
    run = leave(record__a=100.0, record__b=100.0, record__c=None, record__d=None)
    assert forecast(run, elapsed=100).seconds == 200 / 2
    assert forecast(run, elapsed=50).seconds == 100, "no less than the longest job"


def test_a_job_at_work_is_half_done_unless_its_bar_says_more(leave: Leave) -> None:
    assert forecast(leave(record__a=100.0, record__b="nothing yet"), 100).seconds == 50
    assert forecast(leave(train__a=100.0, train__dac=BAR), 100).seconds == 90
    assert forecast(leave(train__a=1000.0, train__dac=BAR), 1000).seconds == 500, "that bar is a part of the job"


def test_rules_that_nothing_is_known_of_are_named(leave: Leave) -> None:
    run = leave(record=10.0, score__a=None, train__dac=BAR)
    expected = forecast(run, 100)
    assert (expected.seconds, expected.unknown) == (90, ["score"])
    assert "about 1 min 30 s left, and as long as score will take" in line(run, 100)


def test_the_line_and_the_table_tell_jobs_times_and_what_is_said_last(leave: Leave) -> None:
    run = leave(record__a=10.0, record__b=20.0, record__c=None, train__dac=BAR)
    assert line(run, 100).startswith("2 of 4 jobs done, 1 at work, 1 min 40 s so far, about ")
    rows = [row.split() for row in table(run).splitlines()]
    assert ["record", "2", "1", "15", "s"] in rows
    assert f"  train/dac: {' '.join(BAR.split())}" in table(run).splitlines()


def test_a_run_that_is_done_has_nothing_left(leave: Leave) -> None:
    run = leave(record=10.0)
    assert "left" not in line(run, 100)
    assert "All jobs are done." in following.describe(run)


def hold_lock(run: Path) -> Path:
    """Write a lock as Snakemake does."""
    lock = run / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    return lock


def test_a_run_is_at_work_while_snakemake_holds_its_lock(leave: Leave, tmp_path: Path) -> None:
    run = leave(train__dac=BAR)
    assert "train/dac, whose log logs/train/dac.log ends:" in following.describe(run)
    hold_lock(tmp_path)
    assert "At work:" in following.describe(run)
    assert "whose log" not in following.describe(run)


def test_a_run_that_was_killed_is_not_at_work(leave: Leave, tmp_path: Path) -> None:
    run = leave(train__dac=BAR)
    lock = run_lock.claim(tmp_path / ".snakemake", "now", print)
    hold_lock(tmp_path)
    assert lock is not None
    assert run.is_at_work
    lock.close()
    assert not run.is_at_work, "Snakemake's lock is stale"


def test_the_command_shows_a_run_until_none_is_at_work(
    leave: Leave, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(record=10.0)
    lock = hold_lock(tmp_path)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert len(slept) <= 2, "it does not see that the run has ended"
        if len(slept) == 2:
            lock.unlink()

    # of this module alone: threads of other tests, a server's, may sleep meanwhile
    clock = SimpleNamespace(sleep=sleep, strftime=time.strftime, time=time.time)
    monkeypatch.setattr(following, "time", clock)
    main(["watch", "--run", str(tmp_path), "--every", "5"])
    output = capsys.readouterr().out
    assert slept == [5, 5]
    assert output.count("1 of 1 jobs done") == 3
    assert output.rstrip().endswith("All jobs are done.")


def test_failures_are_told_with_the_end_of_their_log_and_a_remedy(leave: Leave) -> None:
    log = "\n".join([*(f"line {number}" for number in range(20)), "ManifestError: a.tsv:3: utterance x appears twice"])
    text = failures(leave(record=10.0, ingest__vctk=log, score=None))
    assert text.splitlines()[0] == "1 job did not finish:"
    assert "line 13\n" in text
    assert "line 12\n" not in text
    assert text.splitlines()[-1].startswith("  -> fix the cause in the message")
    assert failures(leave(record=10.0)) == ""


def test_a_job_that_says_nothing_is_told_with_the_log_that_slurm_kept_of_it(leave: Leave, tmp_path: Path) -> None:
    run = leave(**{"train/mel-lcnn.codec.erm.seed1": BAR})
    write(tmp_path, 50, "logs/slurm/rule_train/mel-lcnn_codec_erm_1/11.log", "an earlier attempt\n")
    write(tmp_path, 10, "logs/slurm/rule_train/mel-lcnn_codec_erm_1/12.log", "slurmstepd: exceeded memory limit\nbye\n")
    text = failures(run)
    assert (
        "and SLURM's log, logs/slurm/rule_train/mel-lcnn_codec_erm_1/12.log:\n"
        "  | slurmstepd: exceeded memory limit\n  ->" in text
    )
    assert text.splitlines()[-1].startswith("  -> memory ran out")


@pytest.mark.parametrize(
    ("line", "helps"),
    [
        ("OSError: [Errno 28] No space left on device: 'x'", "free some space"),
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate", "GPU's memory"),
        ("MemoryError: Unable to allocate 3 GiB", "mem_mb"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=3.0", "mem_mb"),
        ("Fatal Python error: Segmentation fault\nCurrent thread 0x1:", "report a second crash"),
        ("slurmstepd: error: *** STEP 3.0 CANCELLED DUE TO TIME LIMIT ***", "runtime"),
        ("slurmstepd: error: *** JOB 3 ON n1 CANCELLED AT 2026-01-01T00:00:00 ***", "it was canceled"),
        ("PermissionError: [Errno 13] Permission denied: 'results'", "writable"),
        ("ModuleNotFoundError: No module named 'torch'", "--use-conda"),
        ("Traceback (most recent call last):\n  File x\nKeyError: 3", "report it"),
        ("ResynthesisError: p225_001: not finite", "fix the cause in the message"),
        ("/usr/bin/bash: line 1: python: command not found", "activate the environment of `make setup`"),
        ("/bin/sh: 1: python: not found", "activate the environment"),
        ("/usr/bin/bash: line 1: /x/.venv/bin/python: Permission denied", "activate the environment"),
        ("/usr/bin/bash: line 1: /x/.venv/bin/python: No such file or directory", "activate the environment"),
        ("bash: line 1: /x/python: cannot execute binary file: Exec format error", "set it up again on this machine"),
        ("bash: line 1: /x/snakemake: /y/python: bad interpreter: No such file or directory", "activate the environ"),
        ("bash: line 1: /x/python: cannot execute: required file not found", "activate the environment"),
        ("env: ‘python’: No such file or directory", "activate the environment"),
        (
            "python: error while loading shared libraries: libpython3.11.so.1.0: cannot open",
            "a library of that program",
        ),
        ("/usr/bin/bash: line 1: HOME: unbound variable", "set HOME to a folder"),
        ("RuntimeError: Could not determine home directory.", "set HOME to a folder"),
        ("bash: line 1: nvidia-smi: command not found\nKeyError: 3", "fix the cause in the message"),
        ("OSError: [Errno 30] Read-only file system: 'results/x'", "make that folder writable"),
        ("OSError: [Errno 30] Read-only file system", "make /dev/shm writable"),
        ("PermissionError: [Errno 13] Permission denied", "make /dev/shm writable"),
        ("OSError: [Errno 27] File too large", "ulimit -f unlimited"),
        (BAR, SILENT),
    ],
)
def test_a_log_that_ends_so_has_this_remedy(line: str, helps: str) -> None:
    assert helps in remedy(["INFO running on cpu", *line.splitlines()])


def test_news_come_again_and_again_and_outlive_the_folder(tmp_path: Path, leave: Leave) -> None:
    leave(record=10.0)
    messages: list[str] = []
    following.narrate(tmp_path, messages.append, every=0.01)
    wait_for(lambda: len(messages) >= 2)
    (tmp_path / LIST).unlink()
    wait_for(lambda: "no run has started" in messages[-1])
    count = len(messages)
    wait_for(lambda: len(messages) > count)
    assert messages[0].startswith("Watch: 1 of 1 jobs done, 0 at work, ")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (59, "59 s"), (60, "1 min"), (190, "3 min 10 s"), (7500, "2 h 5 min"),
     (3599.9, "1 h"), (59.7, "1 min"), (356400, "4 d 3 h")],
)  # fmt: skip
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two variants of one codec, degraded in several ways and in spans, and another codec's, in one shard of 3 s."""
    sources = {"F01": "dac", "F01-4": "dac", "F02": "lyra", "F00": "none", "F01+noise_20": "dac"}
    sources |= {"F01+codec-dac_2": "dac", "F01+codec-dac_4": "dac", "F01+codec-dac2_4": "dac", "F01-partial": "dac"}
    for source, codec in sources.items():
        provenance = vars(Provenance(codec, 1, 1.0, "", "0"))
        index = pd.DataFrame([{**provenance, "num_samples": n, "sample_rate": 16000} for n in (16000, 32000)])
        index = index.assign(spans="0-160") if source == "F01-partial" else index
        files.write_parquet(tmp_path / f"audio/english/{source}/0001.parquet", index)
    files.write_tsv(tmp_path / "codecs/dac/history.tsv", pd.DataFrame({"step": [1, 10, 250]}))
    files.write_tsv(tmp_path / "feature_lists/wavlm-1a/english/F01.tsv", pd.DataFrame({"clips": [7, 5]}))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "amount", "unit"),
    [
        ("resynthesize_dac/english.0001", 6, "s of audio"),
        ("record/english.F00.0001", 3, "s of audio"),
        ("degrade/english.F01.noise_20.0001", 3, "s of audio"),
        ("degrade_through_dac/english.F01.0001", 6, "s of audio"),
        ("splice/english.F01-partial.0001", 3, "s of audio"),
        ("train_codec/dac", 250, "steps"),
        ("extract_features/wavlm-1a.english.F01", 12, "clips"),
    ],
)
def test_what_a_job_has_done_is_counted_in_what_it_wrote(results: Path, name: str, amount: float, unit: str) -> None:
    assert work_of(results, name) == Work(amount, unit)


def test_nothing_is_counted_where_nothing_was_written(results: Path) -> None:
    assert work_of(results, "tabulate") is None
    assert work_of(results, "train_codec/lyra") is None


def test_a_rate_is_of_all_finished_jobs_of_a_rule(leave: Leave, tmp_path: Path) -> None:
    for codec, steps in (("dac", 10), ("lyra", 50)):
        files.write_tsv(tmp_path / f"results/codecs/{codec}/history.tsv", pd.DataFrame({"step": [steps]}))
    run = leave(train_codec__dac=10.0, train_codec__lyra=20.0)
    assert rate(run, run.jobs) == "2 steps/s"


def test_the_page_of_times_adds_up_and_leads_with_the_rule_that_took_longest(results: Path) -> None:
    times = (("train_codec/dac", 50.0), ("record/english.F00.0001", 1.5), ("record/english.F00.0000", 2.5))
    for name, seconds in times:
        write(results, 0, f"benchmarks/{name}.tsv", record(seconds))
    rows = rule_rows(job_table(results))
    assert [(row.rule, row.num_jobs, row.total, row.rate) for row in rows] == [
        ("train_codec", 1, "50 s", "5 steps/s"),
        ("record", 2, "4.0 s", "2 s of audio/s"),
    ]
    write_timing(results, results / "timing.html")
    assert rows[0].waiting == "49 s"  # 1 s of processor time
    assert "3 jobs, 54 s in all" in (results / "timing.html").read_text(encoding="utf-8")
    assert pd.read_csv(results / "timing.csv")["seconds"].sum() == 54


def test_a_page_of_times_without_records_says_so(tmp_path: Path) -> None:
    write_timing(tmp_path, tmp_path / "timing.html")
    assert "No job has a record yet." in (tmp_path / "timing.html").read_text(encoding="utf-8")
