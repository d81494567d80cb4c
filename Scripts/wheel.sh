#!/usr/bin/env bash
# Builds the wheel of the Python package into .build/wheel: the library with Swift's standard library inside, stripped,
# and the checkpoint of Hopper. Fails where it grows beyond 12 MB or asks for a newer glibc than its name says.
set -euo pipefail
cd "$(dirname "$0")/.."
package=Python/trajectory_transformer
python=.deps/python/bin/python

fail() { echo "wheel: $*" >&2; exit 1; }

Scripts/python-environment.sh
swift build -c release --product TrajectoryTransformerC --scratch-path .build/python -Xswiftc -static-stdlib \
    -Xlinker --version-script="$PWD/Python/exports.map" -Xlinker --gc-sections
rm -rf Python/build Python/*.egg-info "$package"/*.so "$package/checkpoints" .build/wheel
# The wheel carries the licences of what is in it.
licences=(Python/LICENSE Python/THIRD-PARTY.md Python/Licenses)
rm -rf "${licences[@]}"
cp LICENSE THIRD-PARTY.md Python/
mkdir Python/Licenses
cp Licenses/Swift.txt Python/Licenses/
mkdir -p "$package/checkpoints" .build/wheel
strip -s -o "$package/libTrajectoryTransformerC.so" .build/python/release/libTrajectoryTransformerC.so
cp -r Checkpoints/hopper "$package/checkpoints/"
"$python" -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation -w .build/wheel ./Python
rm -rf Python/build Python/*.egg-info "${licences[@]}"
wheel=$(ls .build/wheel/*.whl)
size=$(stat -c %s "$wheel")
# The policies that auditwheel knows are those of manylinux: symbols of glibc and libstdc++ that the platform has.
"$python" -m auditwheel show "$wheel" | tr '\n' ' ' | grep -q 'consistent with the following platform tag: "manylinux_2_\(2[0-9]\|3[0-5]\)_' ||
    fail "$wheel is not for the platform that its name says: $("$python" -m auditwheel show "$wheel")"
echo "$wheel: $((size / 1000)) kB"
((size <= 12000000)) || fail "the wheel has $size bytes, 12 MB at most"
