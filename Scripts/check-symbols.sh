#!/usr/bin/env bash
# Fails where a program or library below a folder asks for a newer glibc than 2.35 or a newer libstdc++ than that of
# GCC 12 (GLIBCXX_3.4.30), which Debian 12 and Ubuntu 22.04 have.
#
#   Scripts/check-symbols.sh FOLDER
set -euo pipefail
glibc=2.35 glibcxx=3.4.30
bad=0 count=0
while read -r file; do
    head -c 4 "$file" | grep -q ELF || continue
    count=$((count + 1))
    while read -r symbol; do
        kind=${symbol%%_*} version=${symbol#*_}
        bound=$glibc
        [[ $kind == GLIBCXX ]] && bound=$glibcxx
        if [[ $(printf '%s\n%s\n' "$version" "$bound" | sort -V | tail -1) != "$bound" ]]; then
            echo "$file: asks for $symbol, ${kind}_$bound at most" >&2
            bad=1
        fi
    done < <(objdump -T "$file" | grep '\*UND\*' | grep -oE 'GLIBC(XX)?_[0-9.]+' | sort -u)
done < <(find "$1" -type f)
((count > 0)) || { echo "check-symbols: no program below $1" >&2; exit 1; }
((bad == 0)) && echo "$count programs and libraries ask for glibc $glibc and GLIBCXX_$glibcxx at most"
