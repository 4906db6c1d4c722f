# Two commands do everything on a fresh machine: `make demo` and `make test`.
# The same with real data: make demo PANEL=conf/panels/btc_core.yaml DATA=../shared/data/real

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

PANEL ?=
DATA ?=
OUT ?= runs/demo
WORKERS ?= 2

# LightGBM spins its threads on a busy machine (0.7 s becomes 15 s) unless this is set before Python starts.
export OMP_WAIT_POLICY := passive
export MLFLOW_DISABLE_TELEMETRY := true

.PHONY: help setup demo test check format lock bench faults skill tries leak-hunt map-skill realism planted-skill closed-loop soak drill drill-collect gate year clean

help:
	@echo "make demo    run the main job on the simulated market   (PANEL= DATA= for real data)"
	@echo "make test    set up and run the whole suite"
	@echo "make check   format, lint, types, layer contracts"
	@echo "make bench   side-by-side performance tables            (minutes)"
	@echo "make faults  every fault with its full count: kills, cuts, flips, forgeries, fuzz (an hour)"
	@echo "make skill   walk-forward evidence on the real panels   (two hours of one core; resumable; DATA= where it is)"
	@echo "make tries   every model that was tried, judged inside the first block  (hours; resumable)"
	@echo "make leak-hunt  attacks on look-ahead, with leaks planted to be seen    (half an hour)"
	@echo "make map-skill  the liquidation map against realised liquidations (DATA= where it is)"
	@echo "make realism    the simulated market beside real ones    (DATA= where they are)"
	@echo "make planted-skill  the model on the simulated market, with and without leverage (minutes)"
	@echo "make closed-loop    the breaker against other arms on simulated news      (half an hour)"
	@echo "make gate    seeded bad challengers against the gate     (minutes)"
	@echo "make year    a simulated year of weekly retrains, faults planted          (a quarter of an hour)"
	@echo "make soak    a live server under load for half an hour, its model swapped   (MINUTES=30)"
	@echo "make drill   the runbook's drill in real time: kill the server, stop its feed  (a quarter of an hour)"
	@echo "make drill-collect   from venues' sockets to a flag in real time, and broken on the way  (half an hour)"
	@echo "make format  let ruff format and fix the code"
	@echo "make lock    write requirements/lock.txt anew from pyproject.toml"

setup: $(READY)

$(READY): requirements/lock.txt pyproject.toml tools/preflight
	@python=$$(tools/preflight $(PYTHON)) || exit 1; \
	echo "setting up $(VENV) with $$python"; \
	"$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lock.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)
	$(BIN)/liqwarn demo --out $(OUT) $(if $(PANEL),--panel $(PANEL)) $(if $(DATA),--data $(DATA))

test: $(READY)  # a file stays in one process: its fixtures are dear, and some count
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: $(READY)
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(READY)
	$(BIN)/ruff format src tests benchmarks examples
	$(BIN)/ruff check --fix src tests benchmarks examples

lock: $(READY)
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --generate-hashes \
		--no-emit-index-url --no-header --universal --python-version 3.11 --quiet --upgrade -o requirements/lock.txt

bench: $(READY)
	$(BIN)/python benchmarks/bench_windows.py
	$(BIN)/python benchmarks/bench_features.py
	$(BIN)/python benchmarks/bench_map.py
	$(BIN)/python benchmarks/bench_simulation.py
	$(BIN)/python benchmarks/bench_score_row.py
	$(BIN)/python benchmarks/bench_live.py
	$(BIN)/python benchmarks/bench_memory.py
	$(BIN)/python benchmarks/bench_board.py
	$(BIN)/python benchmarks/bench_http.py
	$(BIN)/python benchmarks/bench_retrain.py

faults: $(READY)
	LIQWARN_FAULTS=full $(BIN)/python -m pytest tests/faults tests/cli/test_live_retrain.py -n 0 -s --timeout 3600

skill: $(READY)
	$(BIN)/python benchmarks/skill.py $(if $(DATA),--data $(DATA))

tries: $(READY)
	$(BIN)/python benchmarks/tries.py $(if $(DATA),--data $(DATA))

leak-hunt: $(READY)
	$(BIN)/python benchmarks/leak_hunt.py $(if $(DATA),--data $(DATA))

map-skill: $(READY)
	$(BIN)/python benchmarks/map_skill.py $(if $(DATA),--data $(DATA))

realism: $(READY)
	$(BIN)/python benchmarks/realism.py $(if $(DATA),--data $(DATA))

planted-skill: $(READY)
	$(BIN)/python benchmarks/planted_skill.py

closed-loop: $(READY)
	$(BIN)/python benchmarks/closed_loop.py

gate: $(READY)
	$(BIN)/python benchmarks/gate.py

year: $(READY)
	$(BIN)/python benchmarks/retrain_year.py

drill: $(READY)
	$(BIN)/python examples/drill/run.py

drill-collect: $(READY)
	$(BIN)/python examples/drill/collect_and_serve.py

soak: $(READY)
	$(BIN)/python benchmarks/soak.py $(if $(MINUTES),--minutes $(MINUTES))

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
