#!/usr/bin/env bash
# Three hosts with addresses of their own on this machine, for tests of MPI: network namespaces on a bridge, which
# disappear with it. Needs root.
#
#   Scripts/mpi-hosts.sh up|down
#   Scripts/mpi-hosts.sh cut 3                   takes host 3 off the network
#   Scripts/mpi-hosts.sh run HOST COMMAND...     runs a command there; HOST is a number, or an address that ends in one
set -euo pipefail

number=${2:-}
number=${number##*.}
case $1 in
    up)
        ip netns add trajsw
        ip netns exec trajsw ip link add br0 type bridge
        ip netns exec trajsw ip link set br0 up
        for i in 1 2 3; do
            ip netns add "traj$i"
            ip link add "ve$i" netns "traj$i" type veth peer name "sw$i" netns trajsw
            ip netns exec trajsw ip link set "sw$i" master br0 up
            ip netns exec "traj$i" ip addr add "10.77.0.$i/24" dev "ve$i"
            ip netns exec "traj$i" ip link set "ve$i" up
            ip netns exec "traj$i" ip link set lo up
        done ;;
    down)
        for name in traj1 traj2 traj3 trajsw; do
            # Who still runs there waits for hosts that it cannot reach.
            pids=$(ip netns pids "$name" 2>/dev/null) || continue
            [[ -z $pids ]] || kill -KILL $pids 2>/dev/null || true
            ip netns del "$name"
        done ;;
    cut) ip netns exec trajsw ip link set "sw$number" down ;;
    run)
        shift 2
        # A host name of its own, by which MPI tells hosts apart.
        exec ip netns exec "traj$number" unshare --uts sh -c "hostname node$number; $*" ;;
    *) echo "mpi-hosts: unknown '$1'" >&2; exit 64 ;;
esac
