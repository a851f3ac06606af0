# Every job of the project by name; `make help` lists them. CI runs the same targets.

CARGO  ?= cargo
PYTHON ?= python3
JUDGES := .venv/judges.stamp

.DEFAULT_GOAL := help
.PHONY: help lab test check bench docs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: ## build, set up the lab, run both workers, interrupt them, compare, take everything down
	$(CARGO) build --release --locked --bin fis-workshop
	"$${CARGO_TARGET_DIR:-target}/release/fis-workshop" lab

test: $(JUDGES) ## all tests, with the outside judges (AWS CLI, cfn-lint, moto, checkov) in .venv
	$(CARGO) test --workspace --locked

check: ## formatting, lints, documentation links
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --document-private-items

bench: ## measure what the project promises; prints a table of medians
	$(CARGO) bench --locked --bench promises

docs: ## write the generated reference pages again
	UPDATE_DOCS=1 $(CARGO) test --locked --workspace reference_page

$(JUDGES): tests/judges/requirements.txt tests/judges/checkov.txt
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement tests/judges/requirements.txt
	$(PYTHON) -m venv .venv/checkov
	.venv/checkov/bin/pip install --quiet --disable-pip-version-check --requirement tests/judges/checkov.txt
	ln -sf ../checkov/bin/checkov .venv/bin/checkov
	touch $@
