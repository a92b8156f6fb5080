#!/usr/bin/env bash
# Packs the package, installs it into an empty project, resolves its types and runs its command.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tarball=$(cd "$root" && npm pack --silent --pack-destination "$work")
cd "$work"
cat > package.json <<'JSON'
{ "name": "empty", "version": "1.0.0", "private": true, "type": "module" }
JSON
npm install --silent --no-audit --no-fund --onnxruntime-node-install=skip "./$tarball" typescript@5.9 @types/node@20
cat > index.ts <<'TS'
import { SenseError } from "sensebind";
import { defineDevice } from "sensebind/device";
import { connect } from "sensebind/client";
const code: string = new SenseError("BAD_ARGUMENT", "a sentence").code;
export { code, connect, defineDevice };
TS
npx tsc --noEmit --strict --module nodenext --moduleResolution nodenext --target es2023 index.ts
npx sensebind --version
npx sensebind models verify node_modules/sensebind/models/nano
npx sensebind classify text --help >/dev/null
echo "package $(du -h "$tarball" | cut -f1): installs, its types resolve, its command runs"
