#!/bin/sh
# Starts Slurm with this machine as its only node, everything of it below one folder.
#
#   start.sh FOLDER        then:  SLURM_CONF=FOLDER/slurm.conf sbatch …
#
# Needs slurm-wlm and munge (Debian) and root; its processes are those whose ids are in FOLDER/pids.
set -eu
folder=$1
mkdir -p "$folder/state" "$folder/spool"
: > "$folder/pids"

head -c 128 /dev/urandom > "$folder/munge.key"
chmod 700 "$folder"
chmod 600 "$folder/munge.key"
munged --force --foreground --socket="$folder/munge.socket" --key-file="$folder/munge.key" \
  --log-file="$folder/munged.log" --pid-file="$folder/munged.pid" --seed-file="$folder/munge.seed" \
  > "$folder/munged.out" 2>&1 &
echo $! >> "$folder/pids"

host=$(hostname -s)
port=$((20000 + $$ % 20000))
cat > "$folder/slurm.conf" <<CONF
ClusterName=lab
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=lab Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$folder/slurm.conf"

for _ in 1 2 3 4 5 6 7 8 9 10; do
  [ -S "$folder/munge.socket" ] && break
  sleep 0.3
done
slurmctld -D -f "$SLURM_CONF" > "$folder/slurmctld.out" 2>&1 &
echo $! >> "$folder/pids"
slurmd -D -f "$SLURM_CONF" -N "$host" > "$folder/slurmd.out" 2>&1 &
echo $! >> "$folder/pids"

# Up when the node is idle.
tries=0
until sinfo --noheader --format=%T 2>/dev/null | grep -q idle; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { tail -n 5 "$folder"/*.out "$folder"/*.log >&2; exit 1; }
  sleep 0.5
done
