# make env | run | test | check | audit | bench | loop | portfolios | scale | crash | load | clean
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin
export OMP_WAIT_POLICY := PASSIVE

.PHONY: env run test check audit bench loop portfolios scale crash load clean

env: .venv/ready

.venv/ready: requirements.txt requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch .venv/ready

run: env ## the workbench at http://localhost:8501; EMPTY=1 starts without the demo bank
	CREDITRISK_EMPTY=$(EMPTY) $(BIN)/streamlit run app.py --server.port $(PORT)

check: env ## style, types, and the floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## everything: units, pages, contracts, the walkthrough, the browser journeys
	$(BIN)/python -m pytest -n auto --dist loadfile

audit: env ## known faults of every pinned package, ours and what they bring
	$(BIN)/pip-audit --strict --progress-spinner off --no-deps --disable-pip -r requirements.txt -r requirements-dev.txt || { \
		echo "Not clean: a known fault is named above, or the advisories could not be reached (\"not found on PyPI\" is how pip-audit says it)." \
			"Nothing counts as looked up then; docs/security.md says what is known of the pinned versions."; exit 1; }

bench: env ## measured ratios beside their bars, printed and written to bench.json
	$(BIN)/python -m tests.bench

loop: env ## the review loop played through where the truth is known: what feedback is worth, as docs/feedback.md shows it
	$(BIN)/python -m tests.loop

portfolios: env ## four public tables by commands alone: cross-validated AUC beside what was published
	$(BIN)/python -m tests.bench.portfolios

scale: env ## 100,000 applicants, some 36 M transactions, from nothing to scores: time, CPU and memory of each step beside the bars
	$(BIN)/python -m tests.bench.scale

crash: env ## kill -9 at random moments of real work: what was lost, what was half there; then with faults planted, which must be found
	$(BIN)/python -m tests.crash

load: env ## sessions that click on the real pages over the WebSocket: times, errors, memory
	$(BIN)/python -m tests.load

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis bench.json
