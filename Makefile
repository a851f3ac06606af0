# Every job of the project by name; `make help` lists them. CI runs the same targets.

CARGO  ?= cargo
PYTHON ?= python3
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
JUDGES := .venv/judges.stamp
PACKERS := .venv/packers.stamp
BOOK := .venv/book/bin/mdbook
PEERS := .venv/peers.stamp

.DEFAULT_GOAL := help
.PHONY: help lab test check bench bench-peers soak docs dist programs need-test

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: ## build, set up the lab, run every variant, interrupt it, compare, take everything down
	@tools/need rust c
	$(CARGO) build --locked --bin fis-workshop
	"$(TARGET_DIR)/debug/fis-workshop" lab --no-predict

# Most tests wait for something most of their time: two of them for each processor.
test: export RUST_TEST_THREADS ?= $(shell expr 2 '*' "$$(getconf _NPROCESSORS_ONLN)")
test: need-test $(JUDGES) ## all tests, with the outside judges; installs what is missing
	$(CARGO) test --workspace --locked

check: ## formatting, lints, documentation links
	@tools/need rust c
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --document-private-items

bench: ## measure what the project promises, on the profile that is shipped; prints a table of medians
	@tools/need rust c
	$(CARGO) bench --locked --bench promises

bench-peers: $(PEERS) ## the endpoint beside moto, ministack and fakecloud, the worker beside one in Node.js; Linux; writes docs/benchmarks.md
	$(CARGO) build --release --locked --bin fis-workshop
	.venv/peers/bin/python tools/bench-peers "$(TARGET_DIR)/release/fis-workshop" $(BENCH_PEERS)

dist: $(PACKERS) ## what an instructor hands out, in dist/: program, Python wheel, SHA-256 sums; tried out at once
	@tools/need rust c readelf
	tools/dist $(TARGETS)

programs: ## the workers' programs for both processors of Fargate, in dist/programs, for a make dist elsewhere
	@tools/need rust c
	$(CARGO) run --locked --package fis-workshop-images --example programs -- dist/programs

mutants: ## mistakes in the parts that must be right which no test notices (hours); PART=fis for one part
	@tools/need rust c
	tools/mutants $(PART)

soak: $(JUDGES) ## noisy tasks, forty environments and random kills at once, on the profile that is shipped; SECONDS=60
	$(CARGO) build --release --locked --bin fis-workshop
	.venv/bin/python tools/soak "$(TARGET_DIR)/release/fis-workshop" $(SECONDS)

docs: $(BOOK) ## write again what is generated in docs/, and the book of docs/ into dist/book
	@tools/need chromium
	UPDATE_DOCS=1 $(CARGO) test --locked --workspace reference_page
	tools/picture "$(TARGET_DIR)/debug/fis-workshop"
	$(BOOK) build docs

# Before anything is compiled: the images' judges and the browser run on Linux only.
need-test:
	@tools/need rust c python venv zsh node npm $(if $(filter Linux,$(shell uname)),registry podman runc skopeo chromium chromedriver)

$(JUDGES): tests/judges/requirements.txt tests/judges/checkov.txt | need-test
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/judges/requirements.txt
	$(PYTHON) -m venv .venv/checkov
	.venv/checkov/bin/pip install --quiet --disable-pip-version-check --requirement tests/judges/checkov.txt
	ln -sf ../checkov/bin/checkov .venv/bin/checkov
	touch $@

$(PACKERS): tools/packers.txt
	@tools/need python venv
	$(PYTHON) -m venv .venv/packers
	.venv/packers/bin/pip install --quiet --disable-pip-version-check --requirement tools/packers.txt
	touch $@

$(BOOK):
	@tools/need rust c
	$(CARGO) install --quiet --locked --no-default-features --features search --root .venv/book mdbook@0.5.4
	touch $@

# fakecloud's 580 crates take longer to compile than everything else here.
$(PEERS): tools/bench-peers/requirements.txt tools/bench-peers/crates.txt
	@tools/need rust c python venv node npm podman runc skopeo
	$(PYTHON) -m venv .venv/peers
	.venv/peers/bin/pip install --quiet --disable-pip-version-check --requirement tools/bench-peers/requirements.txt
	$(CARGO) install --locked --root .venv/peers $(shell cat tools/bench-peers/crates.txt)
	touch $@
