# The two main commands: `make run` (the demo, end to end) and `make test`. Each installs what it needs.

PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu)
VENV := .venv
# the last: every job is a process of its own, and compiled modules are kept for the next one
IN_VENV := PATH="$(CURDIR)/$(VENV)/bin:$$PATH" PYTHONPATH="$(CURDIR)" PYTHONDONTWRITEBYTECODE=
ON_TWO_CORES := -n 2 --dist loadfile --max-worker-restart 0
# FreqCodec's vectors depend on the FFT, of which MKL has one for each kind of processor; 5: there are no vectors
ONE_FFT := MKL_CBWR=COMPATIBLE python -m pytest tests/codec_wrappers/test_golden_codecs.py -k freqcodec
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check

.PHONY: run test test-long test-slow test-gpu test-slurm lint format dryrun docs setup packages clean
.DEFAULT_GOAL := run

run: setup
	$(IN_VENV) snakemake --cores $(CORES) all

test: setup
	$(IN_VENV) OMP_NUM_THREADS=1 python -m pytest -m "not long and not slow and not gpu" $(ON_TWO_CORES)
	$(IN_VENV) OMP_NUM_THREADS=1 $(ONE_FFT) -m "not long" || test $$? -eq 5

# what takes up to a minute a test, and is not needed after every edit
test-long: setup
	$(IN_VENV) OMP_NUM_THREADS=1 python -m pytest -m "long and not slow and not gpu" $(ON_TWO_CORES)
	$(IN_VENV) OMP_NUM_THREADS=1 $(ONE_FFT) -m long || test $$? -eq 5

# what takes minutes a test: runs killed at twenty moments, coverage of intervals, networks at full size;
# then property tests with other examples than those of `make test`
test-slow: setup
	$(IN_VENV) OMP_NUM_THREADS=1 python -m pytest -m slow
	$(IN_VENV) OMP_NUM_THREADS=1 python -m pytest -m "not slow and not gpu" --hypothesis-profile search \
		$(shell grep -rl "^from hypothesis import" tests)

# what only a GPU shows; then the benchmarks on it, whose tables go into benchmarks/README.md
test-gpu: setup
	$(IN_VENV) python -m pytest -m gpu
	$(IN_VENV) python benchmarks/on_gpu.py

# a whole run through a SLURM on this machine; needs root and Debian's munge, slurmctld, slurmd and slurm-client
test-slurm: setup
	$(IN_VENV) OMP_NUM_THREADS=1 python -m pytest tests/slurm -v --durations=0

lint: setup
	$(IN_VENV) ruff check .
	$(IN_VENV) ruff format --check .
	$(IN_VENV) mypy
	$(IN_VENV) snakefmt --check Snakefile rules
	$(IN_VENV) snakemake --lint

format: setup
	$(IN_VENV) ruff check --fix .
	$(IN_VENV) ruff format .
	$(IN_VENV) snakefmt Snakefile rules

dryrun: setup
	$(IN_VENV) snakemake --dry-run --quiet rules all

# the documentation site, in site/; warnings are errors
docs: setup
	$(IN_VENV) NO_MKDOCS_2_WARNING=1 mkdocs build --config-file docs/site/mkdocs.yml

setup: packages $(VENV)/bin/codecfake

packages: $(VENV)/ready

# the command `codecfake`, which runs this checkout
$(VENV)/bin/codecfake: pyproject.toml $(VENV)/ready
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# torch first and alone, so that the codec packages use this version and do not pick another
$(VENV)/ready: envs/torch.txt envs/requirements.txt envs/constraints.txt envs/no-deps.txt envs/generators.txt envs/storage.txt \
		envs/readers.txt envs/optional.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "codecfake needs Python 3.11 or newer; set PYTHON=…")'
	@echo "Setting up $(VENV): about 3 minutes and 5 GB, once"
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet -c envs/constraints.txt -r envs/torch.txt
	$(PIP) install --quiet -c envs/constraints.txt -r envs/requirements.txt
	$(PIP) install --quiet --no-deps -r envs/no-deps.txt
	$(PIP) install --quiet --no-deps -r envs/generators.txt
	$(PIP) install --quiet --no-deps -r envs/storage.txt
	$(PIP) install --quiet --no-deps -r envs/readers.txt
	@$(PIP) install --quiet -c envs/constraints.txt -r envs/optional.txt >$(VENV)/optional.log 2>&1 || \
		echo "No PESQ: pesq could not be built (is there a C compiler? see $(VENV)/optional.log); everything else works without it"
	@touch $@

clean:
	rm -rf results logs runs .snakemake
