#!/usr/bin/env bash
# Runs the suite on another Node: the newest even (long-term) major of the registry's `node` package.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(npm view node versions --json | node -e '
  const versions = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
  const long = versions.filter((v) => /^\d+\.\d+\.\d+$/.test(v) && Number(v.split(".")[0]) % 2 === 0 && Number(v.split(".")[0]) <= 24);
  console.log(long.sort((a, b) => a.localeCompare(b, undefined, { numeric: true })).at(-1) ?? "");' || true)
if [ -z "$version" ]; then
  echo "skipped: the registry gives no other Node"
  exit 0
fi
echo '{ "name": "other-node", "private": true, "allowScripts": { "node": true } }' > "$work/package.json"
npm install --silent --no-audit --no-fund --prefix "$work" "node@$version"
other="$work/node_modules/node/bin"
[ -x "$other/node" ] || other=$(dirname "$(find "$work/node_modules" -path '*/bin/node' -type f | head -1)")
cd "$root"
PATH="$other:$PATH" node --version
PATH="$other:$PATH" node node_modules/vitest/vitest.mjs run
