#!/bin/sh
# A command of manage.py as the services of deploy/systemd run: sudo deploy/manage.sh migrate
set -eu
cd "$(dirname "$0")/.."
terminal=--pipe
if [ -t 0 ] && [ -t 1 ]; then terminal=--pty; fi
exec systemd-run --quiet --collect --wait "$terminal" --uid=arboris --gid=arboris \
    --working-directory="$PWD" \
    --property=EnvironmentFile=/etc/arboris/env \
    --property=StateDirectory=arboris --property=StateDirectoryMode=0750 --property=UMask=0027 \
    --setenv=DJANGO_SETTINGS_MODULE=arboris.settings \
    --setenv=ARBORIS_DATA_DIR=/var/lib/arboris \
    --setenv=PYTHONDONTWRITEBYTECODE=1 \
    --setenv=LANG="${LANG:-C.UTF-8}" --setenv=TERM="${TERM:-dumb}" \
    "$PWD/.venv/bin/python" manage.py "$@"
