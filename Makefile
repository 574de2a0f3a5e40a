# On a machine with python3.11, make and a C compiler each of these sets up .venv by itself, with
# what it needs.
#   make demo    record an example program, replay it under five policies and both bounds
#   make test    every test          make lint   ruff, mypy --strict
#   make docs    the site, from docs/ into build/docs; a warning is an error
#   make bench   speed and accuracy as ratios
#   make gallery real programs, predicted and really run, for docs/gallery: some minutes
#   make pictures the pictures of the documentation, from recordings of examples
#   make soak    an hour of what might break a recording or a recorded program; needs pip
#   make build   compile the native modules after a change

PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
NATIVE := $(wildcard store/*/*.pyx store/*/*.h replay/*/*.pyx replay/*/*.pxi replay/*/*.h tracer/*.pyx tracer/*/*.c tracer/*/*.h)

# `$(call install,WHAT)`: the requirements that pyproject.toml has there; pip speaks when it fails.
LOG     := $(VENV)/pip.log
PIP     := $(BIN)/python -m pip install --disable-pip-version-check
install  = $(BIN)/python -c "import tomllib; of = tomllib.load(open('pyproject.toml', 'rb')); \
	print(*$(1), sep='\n')" > $(VENV)/wanted.txt \
	&& { $(PIP) -r $(VENV)/wanted.txt > $(LOG) 2>&1 || { cat $(LOG); exit 1; }; }
extra    = $(call install,of['project']['optional-dependencies']['$(1)'])

# In CI a C warning is an error.
ifeq ($(CI),true)
export GCREPLAY_WERROR := 1
endif

.PHONY: demo test lint docs bench gallery pictures soak build clean

demo: build
	$(BIN)/gcreplay record --force -o build/demo.gcreplay --full-probe 700 --granularity 50 \
	    examples/lru_cache.py
	$(BIN)/gcreplay replay build/demo.gcreplay -p cpython-3.11 -p generational:100,10,10 \
	    -p generational:2000,10,10 -p generational:5000,10,10 -p manual

test: build $(VENV)/.test $(VENV)/.browser
	$(BIN)/python -m pytest -n auto --dist worksteal --durations 25

# mypy does not follow the package directories of an editable install: links do.
lint: build $(VENV)/.lint
	$(BIN)/ruff check .
	@rm -rf build/types && mkdir -p build/types/gcreplay
	@ln -s $(CURDIR)/cli/* $(CURDIR)/store $(CURDIR)/tracer $(CURDIR)/replay $(CURDIR)/report build/types/gcreplay
	MYPYPATH=build/types $(BIN)/mypy -p gcreplay -m gallery.__main__ -m gallery.screenshot

# Every page anew, so that a warning of a page that has not changed is seen too.
docs: $(VENV)/.docs
	$(BIN)/python -m sphinx -W --keep-going -n -E -q docs build/docs

bench: build $(VENV)/.test
	$(BIN)/python bench/run.py

gallery: build
	$(BIN)/python -m gallery $(GALLERY)

pictures: build $(VENV)/.test $(VENV)/.browser
	$(BIN)/python -m gallery.pictures
	$(BIN)/python -m gallery.screenshot

soak: build $(VENV)/.test
	$(BIN)/python soak/run.py $(SOAK)

build: $(READY)

# Everything anew when the dependencies may have changed, the native modules alone otherwise.
$(READY): pyproject.toml setup.py $(NATIVE)
	@if [ -e $@ ] && [ ! pyproject.toml -nt $@ ]; then \
	    echo "Compiling what has changed ..."; \
	    $(BIN)/python setup.py --quiet build_ext --inplace; \
	else \
	    echo "Setting up $(VENV), once."; \
	    echo "1/3 a virtual environment ..."; \
	    { test -x $(BIN)/python || $(PYTHON) -m venv $(VENV); } \
	    && echo "2/3 the libraries, with pip ..." \
	    && $(call install,of['build-system']['requires'] + of['project']['dependencies']) \
	    && echo "3/3 compiling the native modules ..." \
	    && { $(PIP) --no-build-isolation --no-deps --editable . > $(LOG) 2>&1 \
	         || { cat $(LOG); exit 1; }; }; \
	fi
	@$(BIN)/python -m gcreplay.installation
	@mkdir -p build
	@touch $@

$(VENV)/.test $(VENV)/.lint $(VENV)/.docs: $(VENV)/.%: pyproject.toml | $(READY)
	@echo "What \`make $*\` needs, with pip ..."
	@$(call extra,$*)
	@touch $@

# The report is tested in Chromium. Where it is missing root gets Debian's; others do without those
# tests, which then say so.
$(VENV)/.browser: | $(READY)
	@if ! command -v chromium > /dev/null && command -v apt-get > /dev/null && [ "$$(id -u)" = 0 ]; then \
	    echo "Chromium, for the tests of the report, with apt-get ..."; \
	    get="env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium"; \
	    { $$get || { apt-get update -qq && $$get; }; } > $(VENV)/apt.log 2>&1 \
	    || tail -n 3 $(VENV)/apt.log; \
	fi
	@if command -v chromium > /dev/null; then touch $@; fi

clean:
	rm -rf $(VENV) build *.egg-info store/*/_*.c replay/*/_*.c tracer/_*.c
	find store replay tracer -name '*.so' -delete
