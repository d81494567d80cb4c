#!/usr/bin/env bash
# Unpacks the archive in a fresh root of Debian that debootstrap makes, and uses the tool there: no Swift, no MuJoCo,
# no HDF5. Needs root and debootstrap.
#
#   Scripts/test-archive.sh [RELEASE]     # bookworm, or trixie
set -euo pipefail
cd "$(dirname "$0")/.."
release=${1:-bookworm}
archive=$(ls .build/archive/*.tar.gz)
((EUID == 0)) && command -v debootstrap >/dev/null || { echo "test-archive: needs root and debootstrap" >&2; exit 1; }
root=$(mktemp -d)
trap 'umount "$root/proc" 2>/dev/null || true; rm -rf "$root"' EXIT
debootstrap --variant=minbase "$release" "$root" >"$root.log" 2>&1 || { tail -5 "$root.log" >&2; exit 1; }
rm -f "$root.log"
tar -C "$root/opt" -xzf "$archive"
# The program asks /proc where it lies, as programs that carry libraries do.
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mv "$root"/opt/trajectory-* "$root/opt/trajectory"
ln -s /opt/trajectory/bin/trajectory "$root/usr/local/bin/trajectory"
run() { chroot "$root" /usr/bin/env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/root "$@"; }
run trajectory --version
run trajectory collect --env hopper --policy expert --steps 2000 --output /tmp/data.hdf5
run trajectory dataset info /tmp/data.hdf5 | head -3
run trajectory train --dataset /tmp/data.hdf5 --output /tmp/run --steps 20 --layers 1 --width 16 --heads 2 --batch-size 8
run trajectory evaluate --checkpoint hopper --episodes 1 --maximum-steps 50 --json | grep mean_return
echo "the archive works in a bare root of Debian ($release)"
