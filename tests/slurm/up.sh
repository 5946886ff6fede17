#!/usr/bin/env bash
# Start a cluster of one machine on the loopback interface, with two GPUs that are none. As root.
# usage: up.sh DIR [CPUS]
# Everything lies under DIR. Only /etc/slurm/{slurm,gres}.conf are links to it: jobs of the executor look for their
# configuration there alone, whatever SLURM_CONF says.
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
cpus=${2:-4}
host=$(hostname -s)
here=$(cd "$(dirname "$0")" && pwd)

for program in munged slurmctld slurmd sbatch; do
    command -v "$program" >/dev/null || {
        echo "$program is missing; on Debian: apt-get install --no-install-recommends munge slurmctld slurmd slurm-client" >&2
        exit 1
    }
done
for file in slurm.conf gres.conf; do
    [[ ! -e /etc/slurm/$file || $(readlink "/etc/slurm/$file") == "$dir/etc/$file" ]] || {
        echo "/etc/slurm/$file belongs to another cluster; this test needs a machine without one" >&2
        exit 1
    }
done

mkdir -p "$dir"/{etc,state,spool,log,run,dev} /etc/slurm
chmod 755 "$dir" "$dir"/*
(umask 077 && head -c 1024 /dev/urandom >"$dir/etc/munge.key")
sed -e "s|@DIR@|$dir|g" -e "s|@HOST@|$host|g" -e "s|@CPUS@|$cpus|g" "$here/slurm.conf.in" >"$dir/etc/slurm.conf"

# A GPU is a character device to SLURM: with plain files, jobs would be counted but never told which is theirs.
# These are further names of the null device.
for gpu in 0 1; do
    [[ -c $dir/dev/nvidia$gpu ]] || mknod -m 666 "$dir/dev/nvidia$gpu" c 1 3
done
echo "AutoDetect=off
NodeName=$host Name=gpu File=$dir/dev/nvidia[0-1] Flags=nvidia_gpu_env" >"$dir/etc/gres.conf"

# shellcheck disable=SC2016  # it is the job's shell that expands them
echo '#!/bin/sh
echo "$SLURM_JOB_ID ${CUDA_VISIBLE_DEVICES:-none}" >>'"$dir/log/gpus.txt" >"$dir/etc/task_prolog"
chmod 755 "$dir/etc/task_prolog"
touch "$dir/log/gpus.txt" && chmod 666 "$dir/log/gpus.txt"

ln -sfn "$dir/etc/slurm.conf" /etc/slurm/slurm.conf
ln -sfn "$dir/etc/gres.conf" /etc/slurm/gres.conf
munged --force --num-threads=2 --key-file="$dir/etc/munge.key" --socket="$dir/run/munge.socket" \
    --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log" --seed-file="$dir/state/munged.seed"
slurmctld
slurmd
for _ in $(seq 60); do
    state=$(sinfo -h -p gpu -o %T 2>/dev/null || true)
    [[ $state == idle ]] && { sinfo; exit 0; }
    sleep 0.5
done
echo "the cluster did not come up; its state is ${state:-unknown}" >&2
tail -n 20 "$dir"/log/*.log >&2
exit 1
