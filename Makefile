# SPDX-License-Identifier: MIT
# The front: everything that is built goes into build/. `make help` lists the targets.

MAKEFLAGS += --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

BUILD := build

.PHONY: all
all: user modules	## build user space and the kernel modules

.PHONY: help
help:	## list the targets
	@sed -n 's/^\([a-z-]*\):.*\t## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# ---- What the project needs of the system ----

.PHONY: deps
deps:	## install what building and the VM need, where there is apt
	@scripts/install-deps build vm

.PHONY: user-deps
user-deps:
	@scripts/install-deps build

.PHONY: check-deps
check-deps:
	@scripts/install-deps build vm check layer lint

# ---- User space ----

# Libraries and programs that the build does without: when one has come, meson looks again.
OPTIONAL = $(shell for library in libpmem cmocka vulkan; do \
	pkg-config --exists $$library && echo $$library; done; command -v scdoc glslangValidator)
CONFIGURED := $(BUILD)/user/build.ninja

.PHONY: user
user: user-deps	## build the library, the tool and the tests (user space alone)
	@echo "building the library, the tool and the tests"
	@mkdir -p $(BUILD)
	@[ -f $(CONFIGURED) ] && [ "$$(cat $(BUILD)/optional)" = "$(OPTIONAL)" ] || \
		meson setup $$([ ! -f $(CONFIGURED) ] || echo --reconfigure) $(BUILD)/user \
			> $(BUILD)/setup.log || { cat $(BUILD)/setup.log; exit 1; }
	@echo "$(OPTIONAL)" > $(BUILD)/optional
	@ninja -C $(BUILD)/user --quiet | { grep -v 'no work to do' || true; }
	@# Files of an older version may have had the names that are links in this one: ninja
	@# clears them away, and meson makes links when it is set up.
	@[ -e $(BUILD)/user/lib/libgemsync.so ] || \
		meson setup --reconfigure $(BUILD)/user > $(BUILD)/setup.log
	@ln -sfn user/tools/gemsync $(BUILD)/gemsync

.PHONY: layer
layer:	## build the Vulkan layer, and what runs programs with it (build/gemsync run)
	@scripts/install-deps layer
	@$(MAKE) user

# ---- Kernel modules ----

# Kbuild writes beside its sources: give it a mirror of links.
MODULES_SRC := $(BUILD)/modules-src
MODULES := drm_gem_sync ncmem vgpu vpanthor vpanfrost vpowervr
# Only tests load them; and vm/run --gpu the last, which only arm64 has.
TEST_MODULES := drm_gem_sync_witness mali

.PHONY: modules
modules: deps	## build the kernel modules: KERNEL=a row of vm/kernels, or a kernel tree
	@echo "building the kernel modules$(if $(KERNEL), for $(KERNEL))"
	@kernel/build $(if $(KERNEL),--kernel $(KERNEL),$(MODULES_SRC) $(BUILD)/modules) \
		$(MODULES) -- $(TEST_MODULES)

# User space of an architecture that is not this machine's, for the guests that run on it.
.PHONY: userland
userland:	## build the library, the tool and the tests for ARCH=arm64, armhf or i386
	@scripts/install-deps matrix
	@scripts/user $(ARCH)

# ---- Showing and checking ----

.PHONY: demo
demo: all	## boot the stock kernel in QEMU and show what a flush does
	@echo "booting the stock kernel"
	@vm/run --timeout 1800 -- $(BUILD)/gemsync demo

.PHONY: check
check: check-deps all	## run every test that CI runs
	@tests/check

.PHONY: check-layer
check-layer: check-deps user	## run the tests of the Vulkan layer, part of check
	@scripts/install-deps apps
	@rm -f $(BUILD)/tap/layer-*
	@tests/layer/run; tests/run --tap-file $(BUILD)/tap/layer-*.tap

.PHONY: check-layer-sanitize
check-layer-sanitize: check-deps	## the same under AddressSanitizer, UBSan and ThreadSanitizer
	@tests/layer/run --sanitize address && tests/layer/run --sanitize thread

.PHONY: check-matrix
check-matrix: all	## run what matters on each kernel of vm/kernels, or on those of ROWS=
	@scripts/install-deps matrix
	@tests/check-matrix $(ROWS)

.PHONY: check-linux
check-linux: user	## run the demo on Linux's own drivers, on emulated hardware; ROWS= of arm64
	@scripts/install-deps vm matrix
	@tests/check-linux $(ROWS)

.PHONY: check-mesa
check-mesa: user	## run unmodified Mesa on the virtual panthor; MESA= versions or folders
	@scripts/install-deps vm matrix
	@tests/check-mesa $(MESA)

.PHONY: check-sanitize
check-sanitize: user	## run the tests on a kernel that looks for bugs: BOOTS= some of them
	@scripts/install-deps sanitize
	@tests/check-sanitize $(BOOTS)

.PHONY: conform
conform: all	## run the conformance suite in the VM, and make a page of it
	@vm/run --memory 2048 --timeout 3600 -- $(BUILD)/gemsync conform --device panthor \
		--html $(BUILD)/conform.html; status=$$?; \
		echo "the page: $(BUILD)/conform.html"; exit $$status

.PHONY: mutants
mutants: all	## plant defects, one by one: does the suite catch each?
	@scripts/install-deps mutants
	@tests/mutants/run $(MUTANTS)

.PHONY: stress
stress: all	## everything at once for a while: SECONDS=n (60), SEED=n
	@tests/stress/run "$(or $(SECONDS),60)" $(SEED)

.PHONY: bench
bench:	## measure cache maintenance, this CPU's (table, build/bench.json, .svg) and a driver's
	@scripts/install-deps build vm bench layer
	@$(MAKE) all
	@$(BUILD)/gemsync bench --json $(BUILD)/bench.json --plot $(BUILD)/bench.svg $(BENCH)
	@vm/run --memory 3072 -- $(BUILD)/user/bench/bench-sync panthor
	@tests/layer/bench

.PHONY: lint
lint: check-deps user	## look for mistakes without running anything
	@scripts/lint

.PHONY: clean
clean:	## remove what was built (not the cached kernel)
	@rm -rf $(BUILD)
