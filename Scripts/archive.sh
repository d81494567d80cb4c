#!/usr/bin/env bash
# Packs the built tool with all its libraries into .build/archive/trajectory-VERSION-linux-ARCHITECTURE.tar.gz, which
# runs where glibc is 2.35 or later (Debian 12, Ubuntu 22.04), without Swift. Fails where a library asks for more.
set -euo pipefail
cd "$(dirname "$0")/.."
name=trajectory-$(.build/release/trajectory --version)-linux-$(uname -m)
folder=.build/archive/$name
rm -rf .build/archive
Scripts/install.sh "$folder" --all-libraries
Scripts/check-symbols.sh "$folder"
tar -C .build/archive --owner=0 --group=0 --numeric-owner --sort=name -czf "$folder.tar.gz" "$name"
rm -rf "$folder"
(cd .build/archive && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$folder.tar.gz: $(($(stat -c %s "$folder.tar.gz") / 1000000)) MB"
