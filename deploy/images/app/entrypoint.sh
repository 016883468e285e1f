#!/bin/sh
# Waits for the agent's socket, at most so long, and then becomes the application: signals go to it, and its status is ours.
#
#   VAULT_AGENT_SOCKET_PATH   where the agent listens
#   VAULT_AGENT_WAIT          how many seconds to wait; 60 unless it says otherwise
set -eu

socket=${VAULT_AGENT_SOCKET_PATH:-/var/run/vault/agent.sock}
left=${VAULT_AGENT_WAIT:-60}

if [ $# -eq 0 ]; then
  echo "entrypoint: no program was given" >&2
  exit 2
fi
[ -S "$socket" ] || echo "Waiting for the agent's socket $socket ..." >&2
while [ ! -S "$socket" ]; do
  if [ "$left" -le 0 ]; then
    echo "entrypoint: there is no socket of an agent at $socket" >&2
    exit 1
  fi
  left=$((left - 1))
  sleep 1
done
# A socket that is there may still be starting, or be left over from one that died. Only an answer counts.
if command -v vault >/dev/null; then
  vault agent status --wait "$left" >/dev/null
fi
exec "$@"
