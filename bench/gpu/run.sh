#!/usr/bin/env bash
# Measures a machine with a GPU without the network: what doctor finds, conformance, the quickstart, and training steps and matrix
# products in float32 and in the half precisions that there are, decoding and copies on each backend that works there, with
# PyTorch beside them where it is installed.
#   bench/gpu/run.sh [--small] [--backends webgpu,onnx] [--out FILE]
# It needs the clone with node_modules and dist, and Node: that of bench/gpu/node, if it was carried along, else that of PATH.
# Figures are printed as JSON, and written to FILE.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -x bench/gpu/node/bin/node ] && export PATH="$PWD/bench/gpu/node/bin:$PATH"
exec node bench/gpu/measure.mjs "$@"
