#!/usr/bin/env bash
# What `make gpu` runs: builds for the GPU that is there, with the torch that is there and nothing from the
# net; then tests, compute-sanitizer, benchmark and stress. A stage that fails does not keep the next from
# running. All of them may take longer than ten minutes: STAGES='tests' and the others are two calls. Environment:
#
#   PYTHON   (python3) imports torch
#   OUT      (benchmarks/results) gets gpu.log, all that the stages print, and gpu.json, the benchmark
#   STAGES   (tests sanitizer bench stress) some of these, in any order; the build is kept from run to run
#   LIMIT    (570) seconds for everything: what would begin later is not run. 0: none
#   PREBUILT build/gpu as this script has left it, with build/gpu-stress beside it, on a machine with the same torch and
#            Python: nothing is built, nvcc, CMake and a compiler are not needed. Built for the GPU by POLEZERO_CUDA_ARCH
#   POLEZERO_CUDA_ARCH, POLEZERO_NLOHMANN_DIR   as in CMakeLists.txt
set -uo pipefail
cd "$(dirname "$0")/.." || exit
out=${OUT:-benchmarks/results}
stages=${STAGES:-tests sanitizer bench stress}
limit=${LIMIT:-570}
prebuilt=${PREBUILT:-}
build=$(realpath -sm "${prebuilt:-build/gpu}") stressed=$build-stress

complain() { echo "make gpu: $*" >&2; exit 1; }
for s in $stages; do
  [[ " tests sanitizer bench stress " == *" $s "* ]] ||
    complain "STAGES: expected some of: tests sanitizer bench stress, got $s"
done

# ---- what has to be there
python=$(command -v "${PYTHON:-python3}") || complain "${PYTHON:-python3} was not found"
python=$(realpath -s "$python") # a link in a virtual environment stays one
PATH="$(dirname "$python"):$PATH:${CUDA_HOME:-/usr/local/cuda}/bin"
missing=()
for tool in cmake ninja nvcc "${CXX:-c++}"; do
  [ -n "$prebuilt" ] || command -v "$tool" >/dev/null || missing+=("$tool")
done
for module in pytest numpy scipy; do
  "$python" -c "import $module" 2>/dev/null || missing+=("$module for $python")
done
{ read -r site && read -r headers && read -r device && read -r arch; } < <("$python" - 2>/dev/null <<'END'
import sysconfig
from pathlib import Path

import torch

print(Path(torch.__file__).parent.parent)
print(sysconfig.get_path("include"))
print(torch.cuda.get_device_name(0) if torch.cuda.is_available() else "")
print("%d%d" % torch.cuda.get_device_capability(0) if torch.cuda.is_available() else "")
END
) || missing+=("torch for $python")
includes=(-I"${site:-}/nlohmann_json/include" -I"${POLEZERO_NLOHMANN_DIR:-.}" -I"${headers:-.}")
has_header() { "${CXX:-c++}" "${includes[@]}" -E -x c++ - <<<"#include <$1>" >/dev/null 2>&1; }
[ -n "$prebuilt" ] || has_header nlohmann/json.hpp ||
  missing+=("nlohmann/json.hpp (pip's nlohmann-json, Debian's nlohmann-json3-dev, or POLEZERO_NLOHMANN_DIR)")
[ -n "$prebuilt" ] || has_header Python.h || missing+=("Python.h of $python (Debian's python3-dev)")
if [ ${#missing[@]} -gt 0 ]; then
  names=$(printf ', %s' "${missing[@]}")
  complain "not found: ${names:2}"
fi
[ -z "$prebuilt" ] || [ -e "$build/site/polezero/lib/libpolezero.so" ] ||
  complain "PREBUILT: expected a folder with site/polezero/lib/libpolezero.so, got $prebuilt"

mkdir -p "$out" || complain "cannot write to $out"
log=$out/gpu.log part=$(mktemp) table=$(mktemp)
trap 'rm -f "$part" "$table"' EXIT
: >"$log"
failed=0

# ---- a stage: one line on the terminal, all that it prints in the log, the end of that where it fails
# stage NAME SECONDS COMMAND...
stage() {
  local name=$1 seconds=$2 start=$SECONDS status
  shift 2
  : >"$part"
  if [ "$limit" -gt 0 ]; then
    local left=$((limit - SECONDS))
    if [ $left -lt 10 ]; then
      printf '%-22s NOT RUN: the %s s of LIMIT are over\n' "$name" "$limit" | tee -a "$log"
      failed=1
      return
    fi
    seconds=$((seconds < left ? seconds : left))
  fi
  printf '\n==== %s: %s\n' "$name" "$*" >>"$log"
  timeout -k 10 "$seconds" "$@" >"$part" 2>&1
  status=$?
  cat "$part" >>"$log"
  local result=ok
  case $status in
    0) ;;
    124 | 137) result="FAILED: not done after $seconds s" ;;
    *) result="FAILED: status $status" ;;
  esac
  printf '%-22s %4d s  %-8s %s\n' "$name" $((SECONDS - start)) "$result" "$(tail -n 1 "$part")" | tee -a "$log"
  if [ $status != 0 ]; then
    failed=1
    tail -n 25 "$part" | sed 's/^/    /'
  fi
}

# The package in its own folder, FOLDER/site: python/polezero stays as it is.
# make_package FOLDER [ARGUMENT OF CMAKE]...
make_package() {
  if [ -n "$prebuilt" ]; then
    [ -e "$1/site/polezero/lib/libpolezero.so" ] || { echo "not prebuilt: $1"; return 1; }
    return 0
  fi
  # warnings, spilled registers too, do not keep an untried GPU from being tried
  cmake -S . -B "$1" -G Ninja -DPython_EXECUTABLE="$python" -DPOLEZERO_CUDA=ON -DPOLEZERO_TESTS=ON \
    -DPOLEZERO_BENCHMARKS=OFF -DPOLEZERO_WERROR=OFF \
    -DPOLEZERO_CUDA_ARCH="${POLEZERO_CUDA_ARCH:-$arch}" \
    ${POLEZERO_NLOHMANN_DIR:+-DPOLEZERO_NLOHMANN_DIR="$POLEZERO_NLOHMANN_DIR"} "${@:2}" &&
    cmake --build "$1" --target polezero polezero_python &&
    mkdir -p "$1/site" &&
    (cd python && find polezero -name '*.py' -exec cp --parents -t "$1/site" {} +) &&
    cmake --install "$1" --prefix "$1/site/polezero"
}

# ---- build
printf '%s, %s\n' "${device:-no GPU}" "$(nvcc --version 2>/dev/null | sed -n 's/.*release \([0-9.]*\).*/nvcc \1/p')" | tee -a "$log"
if ! make_package "$build" >"$part" 2>&1; then
  cat "$part" >>"$log"
  tail -n 40 "$part" >&2
  complain "the build failed; all of its output is in $log"
fi
cat "$part" >>"$log"
printf '%-22s %4d s  ok\n' build "$SECONDS" | tee -a "$log"
if [ -n "$prebuilt" ]; then
  [ -x "$build/tests/cpp/polezero_api_tests" ]
else
  cmake --build "$build" --target polezero_api_tests >"$part" 2>&1
fi
api_tests_built=$?
cat "$part" >>"$log"
stress_build='' stress_library=''
if [[ " $stages " == *" stress "* ]]; then # in the background: the tests need a core or two
  make_package "$stressed" -DCMAKE_CUDA_FLAGS=-DPOLEZERO_STRESS >"$out/gpu-stress-build.log" 2>&1 &
  stress_build=$!
fi
wait_for_stress_build() {
  [ -n "$stress_build" ] || return
  local start=$SECONDS result=FAILED
  if wait "$stress_build"; then
    result=ok stress_library=built
  else
    failed=1
    tail -n 25 "$out/gpu-stress-build.log"
  fi
  stress_build=''
  printf '\n==== build with POLEZERO_STRESS\n' >>"$log"
  cat "$out/gpu-stress-build.log" >>"$log"
  rm -f "$out/gpu-stress-build.log"
  printf '%-22s %4d s  %s (waited for)\n' 'build for stress' $((SECONDS - start)) $result | tee -a "$log"
}
if [ -z "$device" ]; then
  wait_for_stress_build
  complain "built for sm_${POLEZERO_CUDA_ARCH:-90}, but no NVIDIA GPU was found (torch.cuda.is_available() is False): nothing was run"
fi

# ---- the stages
later_path=${PYTHONPATH:+:$PYTHONPATH}
use() { export PYTHONPATH="$1/site$later_path"; }
export PYTHONUNBUFFERED=1
use "$build"
stage polezero.info 60 "$python" -m polezero.info

run_tests() { # a file each: one that hangs takes no other with it
  local file
  for file in tests/python/test_cuda*.py; do
    stage "$(basename "$file")" 240 "$python" -m pytest -v --tb=short -o faulthandler_timeout=100 "$file"
    if grep -q ' skipped' "$part" && ! grep -q ' passed' "$part"; then
      echo "    $file: every test was skipped" | tee -a "$log"
      failed=1
    fi
  done
  if [ $api_tests_built = 0 ]; then
    stage 'C++, without Python' 60 "$build/tests/cpp/polezero_api_tests"
  else
    echo 'C++, without Python    NOT RUN: its tests were not built; GoogleTest (Debian: libgtest-dev) is needed' | tee -a "$log"
    failed=1
  fi
  for file in autograd functorch compile opcheck core_ops forms sosfilt state_space lattice sparse sensitivity; do # as on the CPU
    stage "$file on cuda" 120 "$python" -m pytest -q --tb=short --device cuda "tests/python/test_$file.py"
  done
}

run_stress() {
  stage stress 150 "$python" tests/python/gpu_stress.py
  wait_for_stress_build
  if [ -n "$stress_library" ]; then
    use "$stressed"
    stage 'stress, delays' 150 "$python" tests/python/gpu_stress.py
    use "$build"
  fi
}

run_bench() {
  wait_for_stress_build # whole Python calls are timed too
  stage bench 240 "$python" benchmarks/gpu.py --out "$out/gpu.json"
  cp "$part" "$table"
}

# Every allocation is one of CUDA's own, so that the tools see where it ends and what of it was written.
# Only polezero's kernels are looked at where torch's would take minutes; initcheck has to see all that write.
run_sanitizer() {
  if ! command -v compute-sanitizer >/dev/null; then
    echo 'sanitizer              NOT RUN: compute-sanitizer is not on the PATH' | tee -a "$log"
    failed=1
    return
  fi
  local tool only
  for tool in memcheck initcheck racecheck synccheck; do
    only=()
    case $tool in racecheck | synccheck) only=(--kernel-name kns=polezero) ;; esac
    stage $tool 120 env PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool $tool "${only[@]}" \
      --error-exitcode 1 --report-api-errors no --launch-timeout 100 "$python" tests/python/gpu_small.py
  done
}

for s in $stages; do "run_$s"; done
wait_for_stress_build

echo
[ $failed = 0 ] && echo "nothing failed" || echo "SOMETHING FAILED: see above, and all of it in $log"
if [ -s "$table" ]; then
  echo
  cat "$table"
fi
exit $failed
