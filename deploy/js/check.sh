#!/bin/sh
# Check the pages' scripts (arboris/static/js) with TypeScript's checker, and that the bundled libraries are
# what their lock builds; with "bundle" build them anew. Without Node the check is left out.
set -eu
cd "$(dirname "$0")"

if ! command -v npm >/dev/null; then
	[ "${1:-}" != bundle ] || { echo "make bundle needs Node and npm (Debian: apt install npm)" >&2; exit 1; }
	echo "LEFT OUT: the pages' scripts were not checked, there is no npm (Debian: apt install npm)" >&2
	exit 0
fi
if [ ! -e node_modules/.complete ] || [ package-lock.json -nt node_modules/.complete ]; then
	npm ci --silent
	touch node_modules/.complete
fi
if [ "${1:-}" = bundle ]; then
	exec node bundle.mjs
fi
node bundle.mjs --check
exec node_modules/.bin/tsc --project tsconfig.json --pretty false
