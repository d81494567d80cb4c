#!/usr/bin/env bash
# Installs the built tool below a prefix: program, its libraries, robot models, policies, checkpoints, completions,
# manual page and licences. What is installed needs neither this folder nor Swift.
#
#   Scripts/install.sh PREFIX [--all-libraries]
#
# With --all-libraries also the system's libraries come along, all but glibc's and the C++ library of every Debian.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=${DESTDIR:-}$1
all=${2:-}
program=.build/release/trajectory
programs=("$program")
# The programs that listen, where make server has built them.
for each in trajectory-server trajectory-live; do
    if [[ -x .build/release/$each ]]; then programs+=(".build/release/$each"); fi
done
resources=.build/release/trajectory-transformer_Behavior.resources/Policies

fail() { echo "install: $*" >&2; exit 1; }

[[ -x $program ]] || fail "there is no $program; run make build"
command -v patchelf >/dev/null || fail "patchelf is needed, to tell the program where its libraries are; apt-get install patchelf"
libraries=$prefix/lib/trajectory share=$prefix/share/trajectory doc=$prefix/share/doc/trajectory
mkdir -p "$prefix/bin" "$libraries" "$share" "$doc/licenses" "$prefix/share/man/man1" \
    "$prefix/share/bash-completion/completions" "$prefix/share/zsh/site-functions" \
    "$prefix/share/fish/vendor_completions.d" || fail "cannot write below '$prefix'"
# Of an earlier version, whose files may have other names; checkpoints that somebody added stay.
rm -rf "${libraries:?}"/* "$share/models" "$share/policies"

# glibc is the system's, and so are the libraries of GCC, which every Debian has.
ours='/swift/|/libmujoco'
base='/(ld-linux[^/]*|libc|libm|libdl|libpthread|librt|libresolv|libstdc\+\+|libgcc_s)\.so'
for each in "${programs[@]}"; do
    missing=$(ldd "$each" | grep 'not found' || true)
    [[ -z $missing ]] || fail "libraries of $each are missing: $missing"
done
for each in "${programs[@]}"; do ldd "$each"; done | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u |
    grep -vE "$base" | while read -r library; do
    [[ $all == --all-libraries || $library =~ $ours ]] || continue
    cp -L "$library" "$libraries/"
    [[ $library =~ $ours ]] && continue
    # A Debian package's library; its licence goes with it.
    package=$(dpkg -S "$(realpath "$library")" 2>/dev/null || dpkg -S "$library") || fail "no package has $library"
    package=${package%%:*}
    mkdir -p "$doc/licenses/debian"
    cp -L "/usr/share/doc/$package/copyright" "$doc/licenses/debian/$package.txt"
done
for library in "$libraries"/*; do
    chmod 644 "$library"
    patchelf --set-rpath '$ORIGIN' "$library"
done
for each in "${programs[@]}"; do
    target=$prefix/bin/$(basename "$each")
    install -m 755 "$each" "$target.new"
    strip -s "$target.new"
    # Also for what libraries ask for, which DT_RUNPATH is not.
    patchelf --force-rpath --set-rpath '$ORIGIN/../lib/trajectory' "$target.new"
    mv "$target.new" "$target"
done

cp -rL .deps/models "$share/models"
cp -r "$resources" "$share/policies"
mkdir -p "$share/checkpoints"
cp -r Checkpoints/. "$share/checkpoints/"
# For `mpirun`: compiled by whoever has an MPI (docs/clusters.md).
install -D -m 644 Sources/MPI/Bridge/bridge.c "$share/mpi/bridge.c"
cp LICENSE THIRD-PARTY.md "$doc/"
cp Licenses/* "$doc/licenses/"
sed -i 's|(Licenses/|(licenses/|g' "$doc/THIRD-PARTY.md"
"$program" --generate-completion-script bash >"$prefix/share/bash-completion/completions/trajectory"
"$program" --generate-completion-script zsh >"$prefix/share/zsh/site-functions/_trajectory"
"$program" --generate-completion-script fish >"$prefix/share/fish/vendor_completions.d/trajectory.fish"
"$program" --experimental-dump-help | Scripts/manual.py >"$prefix/share/man/man1/trajectory.1"
echo "installed trajectory $("$program" --version) below $prefix"
