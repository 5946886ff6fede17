#!/usr/bin/env bash
# Stop what up.sh started, by the process ids it wrote, and take back its links in /etc/slurm.
# usage: down.sh DIR
set -u
dir=$(cd "$1" && pwd)

alive() { # a process that has ended and was not yet reaped does not count
    local pid
    for pid in "$@"; do
        [[ -r /proc/$pid/stat && $(awk '{print $3}' "/proc/$pid/stat") != Z ]] && return 0
    done
    return 1
}

timeout 10 scancel --user "$(id -un)" 2>/dev/null
pids=()
for name in slurmctld slurmd munged; do
    [[ -s $dir/run/$name.pid ]] && pids+=("$(<"$dir/run/$name.pid")")
done
((${#pids[@]})) && kill "${pids[@]}" 2>/dev/null
for _ in $(seq 40); do
    alive "${pids[@]}" || break
    sleep 0.25
done
alive "${pids[@]}" && kill -KILL "${pids[@]}" 2>/dev/null # a slurmd that never registered ignores TERM for minutes

# without cgroups a cancelled step can leave a process behind: end those that still carry this cluster's name
for environment in /proc/[0-9]*/environ; do
    pid=$(basename "$(dirname "$environment")")
    grep -qz '^SLURM_CLUSTER_NAME=codecfake-test$' "$environment" 2>/dev/null && [[ $pid != "$$" ]] && kill -KILL "$pid"
done
for file in slurm.conf gres.conf; do
    [[ $(readlink "/etc/slurm/$file") == "$dir/etc/$file" ]] && rm -f "/etc/slurm/$file"
done
exit 0
