# Two commands do everything: `make demo` trains and shows, `make test` proves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXAMPLES := examples/pictures
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help demo test soak check format pictures models contact-sheet clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# Made anew when pyproject.toml changes; the stamp is written last, so an interrupted install is repeated.
$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "inkdigits needs Python 3.11 or newer: make PYTHON=python3.11 (Debian: apt install python3)"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || \
	    { echo "Python's venv module is missing. On Debian: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[train,pdf,heic,web,dev]'
	@touch $@

demo: $(VENV)/installed  ## train the documented network, draw the figures, name the digits in a few pictures
	@# A finished run is replaced, an interrupted one is gone on with.
	$(BIN)/inkdigits train --out runs/demo $(if $(wildcard runs/demo/card.json),--overwrite,$(if $(wildcard runs/demo/* runs/demo/.*-*),--resume))
	$(BIN)/inkdigits classify $(EXAMPLES) --model runs/demo
	@echo
	@echo "The figures are in runs/demo/figures. Next, with a picture of your own:"
	@echo "  $(BIN)/inkdigits classify YOUR-PICTURE.png --model runs/demo"

test: $(VENV)/installed check  ## run lint, types and the whole suite
	$(BIN)/python -m pytest

soak: $(VENV)/installed  ## many times the nonsense that the suite sends (an hour)
	$(BIN)/python benchmarks/soak.py
	INKDIGITS_SOAK=1 $(BIN)/python -m pytest -m soak

check: $(VENV)/installed  ## lint and types only
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/installed  ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Not gallery.jpg, which benchmarks/synthetic.py draws of what it reads.
pictures: demo  ## draw the pictures of the documentation anew
	$(BIN)/python examples/draw.py
	$(BIN)/python examples/steps.py
	$(BIN)/python examples/pages.py
	$(BIN)/python examples/read.py
	$(BIN)/python examples/explain.py
	$(BIN)/python examples/tutorial.py
	$(BIN)/python examples/screenshots.py
	$(BIN)/python benchmarks/charts.py
	cp runs/demo/figures/*.png docs/images/

models: model-classifier model-finder model-lines  ## train all the parts that are shipped, from nothing (hours; goes on after an interruption)

# Of five seeds the one with the lowest loss on validation, taught by a network twelve times as large
# (docs/results.md).
RECIPE_classifier := compact --teacher runs/best --epochs 60 --seed 4
RECIPE_finder := finder
RECIPE_lines := lines
RECIPE_best := best
# Order only: a newer teacher is no reason to train again. Precious: make deletes what lies between otherwise.
runs/classifier/card.json: | runs/best/card.json
.PRECIOUS: runs/%/card.json
runs/%/card.json: | $(VENV)/installed
	$(BIN)/inkdigits train --recipe $(RECIPE_$*) --out runs/$* $(if $(wildcard runs/$*/* runs/$*/.*-*),--resume)
model-%: runs/%/card.json
	rm -rf runs/exported-$*
	$(BIN)/inkdigits export runs/$* --out runs/exported-$*
	cp runs/$*/model.keras runs/exported-$*/
	rm -rf src/inkdigits/models/$*
	mv runs/exported-$* src/inkdigits/models/$*
	cp runs/$*/figures/curves.png src/inkdigits/web/page/learned-$*.png

contact-sheet: $(VENV)/installed  ## draw 64 synthetic pages and 96 lines to look at
	$(BIN)/python benchmarks/contact_sheet.py

clean:  ## remove everything that make made
	rm -rf $(VENV) runs build dist .pytest_cache .mypy_cache .ruff_cache
