# Every command of the project by name; CI calls the same ones.

ROOT := $(CURDIR)
export PKG_CONFIG_PATH := $(ROOT)/.deps/pkgconfig:$(PKG_CONFIG_PATH)
# SwiftPM drops -rpath from pkg-config, so the linker is told here where libmujoco lies.
SWIFT_FLAGS := -c release -Xlinker -rpath -Xlinker $(ROOT)/.deps/mujoco/lib
TRAJECTORY := $(ROOT)/.build/release/trajectory

.PHONY: bootstrap build test format lint compare-training compare-planning clean

bootstrap:
	@Scripts/bootstrap.sh

build: bootstrap ## the command-line tool, optimized
	swift build $(SWIFT_FLAGS) --product trajectory

test: bootstrap ## all tests (FILTER=name for some)
	swift test --disable-xctest $(SWIFT_FLAGS) $(if $(FILTER),--filter '$(FILTER)')

format: ## lays out all Swift code
	swift format --in-place --recursive --parallel Package.swift Sources Tests

lint: ## fails on layout or style
	swift format lint --strict --recursive --parallel Package.swift Sources Tests

compare-training: build ## training speed beside PyTorch's (QUICK=1 for a short run)
	Benchmarks/compare.py training $(if $(QUICK),--quick)

compare-planning: build ## planning speed beside PyTorch's (QUICK=1 for a short run)
	Benchmarks/compare.py planning $(if $(QUICK),--quick)

clean:
	rm -rf .build
