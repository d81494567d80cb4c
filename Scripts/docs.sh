#!/usr/bin/env bash
# A site in .build/docs: the pages of docs/ with the results (Scripts/pages.py), and the documentation of the libraries
# by the compiler of Swift's own toolchain (docc). Fails where one warns or a link leads nowhere. Look at it with:
# python3 -m http.server -d .build/docs
set -euo pipefail
cd "$(dirname "$0")/.."
# Those that a program imports, from the plainest up.
modules=(Trajectories Tokenization Transformer TransformerCPU Training Planning Episodes Policies Learning Agents
    Datasets Environments Behavior Evaluation Jobs)
# Of the policy server, a package of its own.
server=(Serving PolicyServer)
export PKG_CONFIG_PATH=$PWD/.deps/pkgconfig:${PKG_CONFIG_PATH:-}

Scripts/virtual-environment.sh .deps/docs Scripts/docs-requirements.txt "what turns pages into HTML"
swift build -c release -Xlinker -rpath -Xlinker "$PWD/.deps/mujoco/lib" --product trajectory
swift build -c release --package-path Server --product trajectory-server
build=$(realpath .build/release) work=.build/docs-work
maps=()
for map in "$build"/*.build/module.modulemap Server/.build/release/CNIO*.build/module.modulemap \
    Server/.build/checkouts/swift-nio/Sources/CNIO*/include/module.modulemap Server/.build/checkouts/swift-atomics/Sources/*/include/module.modulemap Sources/C*/module.modulemap .build/checkouts/Yams/Sources/CYaml/include/module.modulemap; do
    [[ -f $map ]] && maps+=(-Xcc "-fmodule-map-file=$map")
done
for folder in $(pkg-config --cflags-only-I mujoco hdf5); do maps+=(-Xcc "$folder"); done
target=$(swift -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["target"]["unversionedTriple"])')
rm -rf "$work" .build/docs
mkdir -p "$work/archives"
archives=()
# module MODULE, FOLDER of its modules as built, FOLDER of its sources
module() {
    local graphs=$work/graphs/$1 catalogue=$3/$1/$1.docc
    mkdir -p "$graphs"
    swift-symbolgraph-extract -module-name "$1" -I "$2" "${maps[@]}" \
        -target "$target" -minimum-access-level public -output-dir "$graphs"
    [[ -d $catalogue ]] || catalogue=
    docc convert $catalogue --fallback-display-name "$1" --fallback-bundle-identifier "trajectory.$1" \
        --additional-symbol-graph-dir "$graphs" --output-path "$work/archives/$1.doccarchive" \
        --transform-for-static-hosting --warnings-as-errors
    archives+=("$work/archives/$1.doccarchive")
}
for name in "${modules[@]}"; do module "$name" "$build/Modules" Sources; done
for name in "${server[@]}"; do module "$name" "$(realpath Server/.build/release)/Modules" Server/Sources; done
docc merge "${archives[@]}" --synthesized-landing-page-name "Trajectory Transformer" --output-path .build/docs
rm -rf "$work"
# The page that lists the modules gives its place to the first page of the others.
cp .build/docs/index.html .build/docs/documentation/index.html
.deps/docs/bin/python Scripts/pages.py .build/docs
echo "$(find .build/docs/data -name '*.json' | wc -l) pages in .build/docs"
