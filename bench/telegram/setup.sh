#!/bin/sh
# What the bench needs outside the project: a virtualenv and node_modules under $BENCH_ENV. Needs redis-server,
# python3, node and npm.
set -eu
cd "$(dirname "$0")"
BENCH_ENV=${BENCH_ENV:-${TMPDIR:-/tmp}/iqamati-bench}
command -v redis-server >/dev/null || { echo "redis-server is not installed" >&2; exit 1; }
mkdir -p "$BENCH_ENV/node"
[ -x "$BENCH_ENV/venv/bin/python" ] || python3 -m venv "$BENCH_ENV/venv"
"$BENCH_ENV/venv/bin/pip" install -q -r requirements.txt
cp package.json "$BENCH_ENV/node/"
(cd "$BENCH_ENV/node" && npm install --no-audit --no-fund --silent)
