#!/bin/sh
# Becomes COMMAND, unless the process that started it has ended.
#
#   setpriv --pdeathsig SIGNAL scripts/child.sh PARENT COMMAND...
#
# The kernel sends SIGNAL when the parent ends after setpriv asked for it, and nothing when it ended
# before: then someone else is our parent by now.
set -eu
parent=$1
shift
[ "$PPID" -eq "$parent" ] || exit 1
exec "$@"
