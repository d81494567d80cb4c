#!/usr/bin/env bash
# The documentation of the libraries as a site in .build/docs, by the compiler of Swift's own toolchain (docc); fails
# where it warns. Look at it with: python3 -m http.server -d .build/docs
set -euo pipefail
cd "$(dirname "$0")/.."
# Those that a program imports, from the plainest up.
modules=(Trajectories Tokenization Transformer TransformerCPU Training Planning Episodes Policies Learning Agents
    Datasets Environments Behavior Evaluation Jobs)
export PKG_CONFIG_PATH=$PWD/.deps/pkgconfig:${PKG_CONFIG_PATH:-}

swift build -c release -Xlinker -rpath -Xlinker "$PWD/.deps/mujoco/lib" --product trajectory
build=$(realpath .build/release) work=.build/docs-work
maps=()
for map in "$build"/*.build/module.modulemap Sources/C*/module.modulemap .build/checkouts/Yams/Sources/CYaml/include/module.modulemap; do
    [[ -f $map ]] && maps+=(-Xcc "-fmodule-map-file=$map")
done
for folder in $(pkg-config --cflags-only-I mujoco hdf5); do maps+=(-Xcc "$folder"); done
target=$(swift -print-target-info | python3 -c 'import json, sys; print(json.load(sys.stdin)["target"]["unversionedTriple"])')
rm -rf "$work" .build/docs
mkdir -p "$work/archives"
archives=()
for module in "${modules[@]}"; do
    graphs=$work/graphs/$module
    mkdir -p "$graphs"
    swift-symbolgraph-extract -module-name "$module" -I "$build/Modules" "${maps[@]}" \
        -target "$target" -minimum-access-level public -output-dir "$graphs"
    catalogue=Sources/$module/$module.docc
    [[ -d $catalogue ]] || catalogue=
    docc convert $catalogue --fallback-display-name "$module" --fallback-bundle-identifier "trajectory.$module" \
        --additional-symbol-graph-dir "$graphs" --output-path "$work/archives/$module.doccarchive" \
        --transform-for-static-hosting --warnings-as-errors
    archives+=("$work/archives/$module.doccarchive")
done
docc merge "${archives[@]}" --synthesized-landing-page-name "Trajectory Transformer" --output-path .build/docs
rm -rf "$work"
echo "$(find .build/docs/data -name '*.json' | wc -l) pages in .build/docs"
