# Everything runs from a virtual environment that the first target makes.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

TRAIN  := $(VENV)/.ready-train

# The training stream's tests, which need PyTorch, and the server's, which need sockets and a browser, have
# targets of their own: `check` stays a matter of seconds.
TRAIN_TESTS := tests/nets tests/train tests/test_export.py tests/test_quantize.py tests/evaluation/learned \
               tests/cli/test_train.py tests/cli/test_convert.py tests/cli/test_data_report.py
SERVE_TESTS := tests/serve tests/serve_page

.PHONY: setup setup-train check test test-serve test-train test-slow test-pythons mutants bench demo sheets wheel clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,serve]"
	touch $@

# PyTorch first and by itself: asked for as somebody's dependency, its largest build would come. The
# constraints hold torchvision, which timm asks for, to the release that belongs to it.
setup-train: $(TRAIN)  ## adds PyTorch and what training needs

$(TRAIN): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev-train]"
	touch $@

check: setup  ## lint, types, fast tests: < 60 s
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto -m "not slow and not gpu" \
		$(addprefix --ignore ,$(TRAIN_TESTS) $(SERVE_TESTS))
	$(BIN)/python -m pytest --doctest-modules --doctest-ignore-import-errors src

test: check test-serve test-train wheel  ## what the README promises and CI runs

test-serve: setup  ## the server, and the page in Chromium where there is one
	$(BIN)/python -m pytest -n 2 -m "not slow and not gpu" $(SERVE_TESTS)

test-train: setup-train  ## the training stream's tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow and not gpu" $(TRAIN_TESTS)

test-slow: setup  ## the tests that take their time
	$(BIN)/python -m pytest -m slow

test-pythons:  ## the fast tests on every Python that is supported and at hand (uv, pyenv or the path)
	$(PYTHON) tools/pythons.py $(PYTHONS) -- -n auto $(addprefix --ignore=,$(TRAIN_TESTS) $(SERVE_TESTS))

mutants: setup  ## faults put into the source, each of which a test must notice: some minutes
	$(BIN)/python tests/mutations.py

wheel: setup  ## build the wheel, install it into a clean environment, smoke-test it
	$(BIN)/python tests/wheel_smoke.py

bench: setup  ## run the benchmarks and rewrite the tables of the docs
	$(BIN)/python -m benchmarks

demo: setup  ## repair the pictures of examples/ and write before | mask | after sheets to demo/
	$(BIN)/python examples/demo.py

sheets: setup  ## before | found | after sheets of real damaged prints, to sheets/
	$(BIN)/python -m benchmarks.sheets

clean:
	rm -rf $(VENV) $(VENV)-* build dist demo sheets
