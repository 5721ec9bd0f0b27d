#!/usr/bin/env bash
# Cross-compiles the Torch-free kernels and their tests for arm64 and runs them under qemu.
# Arguments go to GoogleTest. The build is in build/arm64; CXX_ARM64 and QEMU_ARM64 name other tools.
set -euo pipefail
cd "$(dirname "$0")/../.."
cxx=${CXX_ARM64:-aarch64-linux-gnu-g++}
qemu=${QEMU_ARM64:-qemu-aarch64}
googletest=${GOOGLETEST_SOURCES:-/usr/src/googletest/googletest}
out=build/arm64

missing() {
  echo "arm64 is untested: $1 was not found (Debian: apt-get install $2)" >&2
  exit 77
}
command -v "$cxx" >/dev/null || missing "$cxx" g++-aarch64-linux-gnu
command -v "$qemu" >/dev/null || missing "$qemu" qemu-user
[ -e "$googletest/src/gtest-all.cc" ] || missing "$googletest" googletest

mkdir -p "$out"
objects=()
compile() {  # source, flags
  local object="$out/$(basename "${1%.*}").o"
  echo "compiling $1"
  "$cxx" -std=c++20 -O2 -Wall -Wextra -Werror -Icsrc -Itests/cpp -I"$googletest/include" "${@:2}" \
    -c "$1" -o "$object"
  objects+=("$object")
}
kernel_flags=$(sed -n 's/^set(kernel_flags \(.*\))$/\1/p' CMakeLists.txt)
[ -n "$kernel_flags" ] || { echo "arm64: found no kernel_flags in CMakeLists.txt" >&2; exit 1; }
# As in CMakeLists.txt: GCC 12 takes vectors of zeros for variables that are used before they are set.
kernel_flags+=' -Wno-uninitialized -Wno-maybe-uninitialized'
# shellcheck disable=SC2086  # they are words
for kernel in csrc/kernels/cpu/*.cpp; do
  case $kernel in */launch_*.cpp | */capability.cpp) continue ;; esac
  compile "$kernel" -DPOLEZERO_ISA=baseline $kernel_flags
done
compile csrc/kernels/cpu/capability.cpp
for test in tests/cpp/*_test.cpp; do
  case $test in */api*_test.cpp | */launch_test.cpp | */gather_lists_test.cpp) continue ;; esac  # they need Torch
  compile "$test" -Wno-psabi
done
for source in gtest-all gtest_main; do compile "$googletest/src/$source.cc" -I"$googletest"; done
"$cxx" -static -pthread -Wl,--no-warnings "${objects[@]}" -o "$out/tests"

# emulation is slow: a share of the tests for each processor
export GTEST_TOTAL_SHARDS
GTEST_TOTAL_SHARDS=$(nproc)
shares=()
for ((i = 0; i < GTEST_TOTAL_SHARDS; ++i)); do
  GTEST_SHARD_INDEX=$i "$qemu" "$out/tests" --gtest_brief=1 "$@" &
  shares+=($!)
done
for share in "${shares[@]}"; do wait "$share"; done
