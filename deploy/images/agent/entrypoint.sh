#!/bin/sh
# Starts the agent, the gateway or the API in a container.
#
#   start …, agent start …, vault agent start …   the agent
#   up …, gateway …                               the gateway
#   serve …                                       the API
#   anything else                                 a command of `vault`, such as `agent status` or `capability list`
#
#   DOORWARD_KEY_FILE      a mounted file with the key of the home; it is copied, as orchestrators can't mount one with mode 0600
#   DOORWARD_RECOVERY_OUT  where the first start writes the recovery key: `recovery` beside the home unless it says otherwise
#   AGENT_METRICS          where the agent shows its numbers: 0.0.0.0:9090 unless its configuration has `health:`; `off` for nowhere
set -eu

runtime=${DOORWARD_RUNTIME:-/run/doorward}
etc=${DOORWARD_ETC:-/etc}
export DOORWARD_HOME="${DOORWARD_HOME:-$HOME/home}"

# Makes the home at the first start, and lays files that were mounted into it.
prepare() {
  umask 077
  mkdir -p "$HOME"
  if [ -n "${DOORWARD_KEY_FILE-}" ]; then
    # Moved into place whole: a key that is half there is never read. The folder is memory where the orchestrator says so.
    cp "$DOORWARD_KEY_FILE" "$runtime/.key"
    chmod 0600 "$runtime/.key"
    mv "$runtime/.key" "$runtime/key"
  fi
  # Before the home is made: they say where it is made. The file in the home is this one as long as it is mounted.
  if [ -f "$etc/doorward/settings/settings.toml" ]; then
    mkdir -p "$DOORWARD_HOME"
    cp "$etc/doorward/settings/settings.toml" "$DOORWARD_HOME/.settings"
    mv "$DOORWARD_HOME/.settings" "$DOORWARD_HOME/settings.toml"
  fi
  # With its rows elsewhere, a home has no database of its own.
  if [ ! -e "$DOORWARD_HOME/home.db" ] && [ ! -e "$HOME/made" ]; then
    set -- --recovery-out "${DOORWARD_RECOVERY_OUT:-$HOME/recovery}"
    [ -z "${DOORWARD_KEY_FILE-}" ] || set -- "$@" --key-file "$runtime/key"
    doorward init "$@" >&2
    : > "$HOME/made"
  fi
  if [ -d "$etc/doorward/integrations" ]; then
    for file in "$etc/doorward/integrations"/*.yaml; do
      [ ! -f "$file" ] || cp "$file" "$DOORWARD_HOME/integrations/"
    done
  fi
}

[ "${1-}" = vault ] && shift
[ "${1-}" = agent ] && shift
case ${1-start} in
  start)
    [ $# -eq 0 ] || shift
    ;;
  up | gateway | serve)
    prepare
    exec doorward "$@"
    ;;
  stop | status | reload | config)
    exec vault agent "$@"
    ;;
  *)
    exec vault "$@"
    ;;
esac

prepare
if [ -z "${VAULT_AGENT_POLICY_DIR-}" ] && [ -d "$etc/aether-vault/policies" ]; then
  export VAULT_AGENT_POLICY_DIR="$etc/aether-vault/policies"
fi
# What was typed, and what a configuration says about numbers, comes before the image's own address for them.
metrics=${AGENT_METRICS-}
if [ -z "$metrics" ]; then
  metrics=0.0.0.0:9090
  config=$etc/aether-vault/agent.yaml
  seen=
  for word in "$@"; do
    case $word in
      --metrics | --metrics=*) metrics=off ;;
      --config=*) config=${word#--config=} ;;
      *) [ "$seen" != --config ] || config=$word ;;
    esac
    seen=$word
  done
  if [ -f "$config" ] && grep -q '^health:' "$config"; then
    metrics=off
  fi
fi
[ "$metrics" = off ] || set -- --metrics "$metrics" "$@"
exec vault agent start "$@"
