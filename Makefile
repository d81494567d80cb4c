# Every command of the project by name; CI calls the same ones.

ROOT := $(CURDIR)
export PKG_CONFIG_PATH := $(ROOT)/.deps/pkgconfig:$(PKG_CONFIG_PATH)
# SwiftPM drops -rpath from pkg-config, so the linker is told here where libmujoco lies.
SWIFT_FLAGS := -c release -Xlinker -rpath -Xlinker $(ROOT)/.deps/mujoco/lib
TRAJECTORY := $(ROOT)/.build/release/trajectory
EXAMPLES := Examples/.build/release

.PHONY: bootstrap build install archive test-containers docs demo test fuzz test-sanitizers soak test-everything test-kernels test-cuda bootstrap-mpi mpi test-mpi device test-minari test-tensorboard test-reference reference experiment experiments-quick format lint compare-training compare-planning compare-environments compare-sac compare-learning wheel test-python test-python-long example server test-server load-server test-live film check-structure clean help

bootstrap: ## installs what is missing
	@Scripts/bootstrap.sh

build: bootstrap ## the command-line tool, optimized
	swift build $(SWIFT_FLAGS) --product trajectory

demo: build ## collect, train, plan and compare on Hopper (a few minutes)
	$(TRAJECTORY) demo --output runs/demo --pretrained Checkpoints/hopper

test-kernels: bootstrap ## tests of layers, model and planner on every instruction set of this machine
	for set in baseline avx2; do TRAJECTORY_INSTRUCTION_SET=$$set swift test --disable-xctest $(SWIFT_FLAGS) \
		--filter 'LayersTests|TransformerTests|PlanningTests' || exit 1; done

test-minari: build ## what we write, Minari's own package reads, and the other way round
	Scripts/test-against.sh minari

test-tensorboard: build ## TensorBoard's own package reads the learning curves that we write
	Scripts/test-against.sh tensorboard

test: bootstrap ## all tests (FILTER=name for some)
	swift test --disable-xctest $(SWIFT_FLAGS) $(if $(FILTER),--filter '$(FILTER)')

fuzz: bootstrap ## parsers fed with mutations of small files, guided by coverage (RUNS=100000, TARGETS=names for some)
	Scripts/fuzz.sh $(or $(RUNS),100000) $(TARGETS)

test-sanitizers: bootstrap ## tests under the address and thread sanitizers, kernels under that of undefined behaviour (KIND=address for one)
	Scripts/test-sanitizers.sh $(KIND)

soak: build ## half an hour of training beside closed-loop planning, which stay flat, and 100 kills (MINUTES=30, KILLS=100)
	Scripts/soak.py $(TRAJECTORY) --minutes $(or $(MINUTES),30)
	TRAJECTORY_KILLS=$(or $(KILLS),100) swift test --disable-xctest $(SWIFT_FLAGS) --filter 'Experiments that are killed'

test-everything: ## what .ci/run does and the slow parts: sanitizers, fuzzing, soak; hours
	.ci/run
	$(MAKE) test-cuda LONG=1
	$(MAKE) test-mpi LONG=1
	$(MAKE) test-sanitizers
	$(MAKE) fuzz
	$(MAKE) test-python-long
	$(MAKE) test-live
	$(MAKE) test-containers
	$(MAKE) soak

test-cuda: bootstrap ## kernels for cards: compiled for several, run by the emulated driver (LONG=1: more cards, the address sanitizer)
	@Scripts/bootstrap-nvrtc.sh
	$(if $(LONG),TRAJECTORY_LONG_TESTS=1) swift test --disable-xctest $(SWIFT_FLAGS) --filter 'CUDATests'
	Scripts/test-device.sh $(if $(LONG),--long)

bootstrap-mpi: ## an MPI in .deps/mpi where the machine has none
	@Scripts/bootstrap-mpi.sh

mpi: build bootstrap-mpi ## the bridge to the machine's MPI beside the tool, for mpirun and srun (docs/clusters.md)
	Scripts/mpi.sh .build/release

test-mpi: mpi ## 1 to 4 processes under MPI against one, and what happens when one dies (LONG=1: three hosts, one cut off; root)
	Scripts/test-mpi.py $(TRAJECTORY) "$$(Scripts/mpi.sh --bin)" $(if $(LONG),--long)

device: ## trajectory-device for machines with a card and nothing else, packed in .build/device
	swift build -c release --static-swift-stdlib --product trajectory-device --scratch-path .build/device-build
	mkdir -p .build/device
	strip -s -o .build/device/trajectory-device .build/device-build/release/trajectory-device
	gzip -9kf .build/device/trajectory-device

SERVERS := trajectory-server trajectory-live

server: build ## the programs that listen: of `trajectory serve` and `trajectory live`
	for each in $(SERVERS); do swift build $(SWIFT_FLAGS) --package-path Server --product $$each || exit 1; done
	$(LINK_SERVERS)

LINK_SERVERS = for each in $(SERVERS); do ln -sfn $(ROOT)/Server/.build/release/$$each $(ROOT)/.build/release/$$each; done

# Built for tests at once: what is built without them would be built twice.
test-server: build ## the policy server's own tests, and the server under openpi-client, Gymnasium, curl and nonsense
	swift build $(SWIFT_FLAGS) --package-path Server --build-tests
	$(LINK_SERVERS)
	swift test $(SWIFT_FLAGS) --skip-build --disable-xctest --package-path Server
	Scripts/test-server.sh

test-live: server ## the live page and a report in headless Chromium: steps, controls, strangers and nonsense
	Scripts/test-server.sh test-live.py

film: server ## the film of the README, from the live page in headless Chromium
	Scripts/test-server.sh film.py docs/images/live.webp

load-server: server ## plans a second and latency of the policy server with 1, 8 and 64 clients
	Scripts/test-server.sh load-server.py

example: build ## the four programs of Examples, built as a package of their own and run
	swift build $(SWIFT_FLAGS) --package-path Examples
	rm -rf runs/examples && mkdir -p runs/examples
	$(EXAMPLES)/Plan Checkpoints/hopper
	$(EXAMPLES)/MakeData Checkpoints/hopper runs/examples/hopper.hdf5 2
	$(EXAMPLES)/Train runs/examples/hopper.hdf5 runs/examples/run 50
	$(TRAJECTORY) train-critic --dataset runs/examples/hopper.hdf5 --steps 200 --output runs/examples/critic.safetensors
	$(EXAMPLES)/Evaluate Checkpoints/hopper runs/examples/critic.safetensors 2

check-structure: ## fails where imports, unsafe pointers, reach or documentation are not as stated
	Scripts/check-imports.py
	Scripts/check-docs.py
	Scripts/check-release.py

install: build ## the tool with its libraries, models, checkpoints, completions and manual page (PREFIX=/usr/local)
	Scripts/install.sh $(or $(PREFIX),/usr/local)

archive: build ## the tool with all its libraries, for Debian 12 and later without Swift, in .build/archive
	Scripts/archive.sh

test-containers: ## the steps of Dockerfile and workflow as they are written, in bare roots of Debian (root and debootstrap)
	Scripts/test-containers.py dockerfile
	Scripts/test-containers.py workflow

docs: bootstrap ## a site in .build/docs: pages, results, the libraries' documentation
	Scripts/docs.sh

wheel: ## the Python package as a wheel in .build/wheel, with Swift's library and a checkpoint inside
	Scripts/wheel.sh

test-python: build wheel ## the wheel in an environment of its own, beside Gymnasium, mypy and ruff
	Scripts/test-python.sh $(TRAJECTORY)

test-python-long: build wheel reference ## the wheel beside PyTorch and d3rlpy, and the sweep by Optuna
	Scripts/test-python-long.sh $(TRAJECTORY)

reference: ## installs d3rlpy into .deps/d3rlpy, for the experiments that compare with it
	@Scripts/reference-environment.sh

test-reference: bootstrap reference ## d3rlpy's side of the comparison is the same task
	.deps/d3rlpy/bin/python Experiments/python/check.py

experiments-quick: build reference ## every experiment at its small size, from nothing
	rm -rf runs/experiments/*-quick
	for file in Experiments/*.yaml; do $(TRAJECTORY) experiment $$(basename $$file .yaml) --quick || exit 1; done

experiment: build reference ## one experiment, from nothing or from where it was stopped (NAME=four-rooms)
	$(TRAJECTORY) experiment $(NAME)

format: ## lays out all Swift code
	swift format --in-place --recursive --parallel Package.swift Sources Tests Examples Server Benchmarks

lint: ## fails on layout or style
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Examples Server Benchmarks

compare-training: build ## training speed beside PyTorch's (QUICK=1 for a short run)
	Benchmarks/compare.py training $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS))

compare-planning: build ## planning speed beside PyTorch's (QUICK=1 for a short run)
	Benchmarks/compare.py planning $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS))

compare-environments: build ## environment steps a second beside Python Gymnasium's (QUICK=1 for a short run)
	Benchmarks/compare.py environments $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS))

compare-sac: build ## updates of soft actor-critic beside PyTorch's (QUICK=1 for a short run)
	Benchmarks/compare.py sac $(if $(QUICK),--quick) $(if $(ROUNDS),--rounds $(ROUNDS))

compare-learning: build ## held-out loss against tokens, for the authors' recipe and each change to it (QUICK=1: the small model, 20 minutes)
	Benchmarks/learning.py $(if $(QUICK),--quick) $(if $(DATA),--data $(DATA))

clean: ## removes what was built
	rm -rf .build Examples/.build Server/.build Python/trajectory_transformer/*.so Python/trajectory_transformer/checkpoints

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
