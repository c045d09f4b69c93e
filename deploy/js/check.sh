#!/bin/sh
# Check the pages' scripts (arboris/static/js) with TypeScript's checker. Without Node it is left out.
set -eu
cd "$(dirname "$0")"

if ! command -v npm >/dev/null; then
	echo "LEFT OUT: the pages' scripts were not checked, there is no npm (Debian: apt install npm)" >&2
	exit 0
fi
if [ ! -e node_modules/.complete ] || [ package-lock.json -nt node_modules/.complete ]; then
	npm ci --silent
	touch node_modules/.complete
fi
exec node_modules/.bin/tsc --project tsconfig.json --pretty false
