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
    rm -f "$runtime/.key"
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
  # A start that was killed may have made half a home: only one whose keys are there is made.
  if [ ! -e "$HOME/made" ] && ! doorward key-provider show >/dev/null 2>&1; then
    recovery=${DOORWARD_RECOVERY_OUT:-$HOME/recovery}
    # What that start wrote opens nothing, or is the key of another home.
    [ ! -s "$recovery" ] || mv "$recovery" "$recovery.before"
    set -- --recovery-out "$recovery"
    [ -z "${DOORWARD_KEY_FILE-}" ] || set -- "$@" --key-file "$runtime/key"
    doorward init "$@" >&2
  fi
  : > "$HOME/made"
  mounted "$etc/doorward/integrations" "$DOORWARD_HOME/integrations"
}

# Lays the files of a mounted folder into another, and takes those away that were laid there before and are mounted no more.
mounted() {
  from=$1 into=$2 laid=$HOME/.mounted
  if [ -f "$laid" ]; then
    while read -r name; do
      [ -f "$from/$name" ] || rm -f "$into/$name"
    done < "$laid"
  fi
  [ -d "$from" ] || [ -f "$laid" ] || return 0
  # Noted before they are laid: a start that is killed between the two leaves none behind.
  : > "$laid.new"
  for file in "$from"/*.yaml; do
    [ ! -f "$file" ] || echo "${file##*/}" >> "$laid.new"
  done
  mv "$laid.new" "$laid"
  for file in "$from"/*.yaml; do
    [ ! -f "$file" ] || cp "$file" "$into/"
  done
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
