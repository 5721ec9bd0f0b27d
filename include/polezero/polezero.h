// polezero: differentiable recursive filters for LibTorch programs.
//
//   find_package(polezero REQUIRED)
//   target_link_libraries(program PRIVATE polezero::polezero)
//
// Every function is differentiable in reverse and forward mode, to any order, and takes tensors
// of dtype float32, float64, complex64 or complex128 (float16 and bfloat16 are computed in
// float32; integers become the default float type). Dtypes promote as in torch, leading
// dimensions broadcast. Bad input throws c10::ValueError, c10::TypeError or c10::IndexError with
// one sentence: the argument, what was expected, what came.
//
// Shapes: T samples, b[..., M+1], a[..., N+1], P = max(M, N).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <tuple>

#if defined(__GNUC__)
#define POLEZERO_API __attribute__((visibility("default")))
#else
#define POLEZERO_API
#endif

namespace polezero {

// A recursive filter along `axis` of x:
//
//   a_0 y[n] = sum_{k=0..M} b_k x[n-k] - sum_{i=1..N} a_i y[n-i]
//
// H(z) = (b_0 + b_1 z^-1 + ... + b_M z^-M) / (a_0 + a_1 z^-1 + ... + a_N z^-N).
// zi is the initial state, P values along `axis`, in the convention of scipy.signal.lfilter
// (transposed direct form II). Returns y, in the shape of x broadcast with the leading dimensions
// of b and a, and the final state zf; zf is undefined without zi.
// Throws c10::ValueError where a[..., 0] = 0 or a shape does not fit.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> lfilter(const at::Tensor& b, const at::Tensor& a,
                                                        const at::Tensor& x,
                                                        const std::optional<at::Tensor>& zi = {},
                                                        int64_t axis = -1);

// An all-pole filter along the last axis of x, a[..., N] holding a_1..a_N (a_0 = 1):
//
//   y[n] = x[n] - sum_{i=1..N} a_i y[n-i]
//
// zi[..., N] are the past outputs, newest first: zi[k-1] = y[-k]. Returns y and zf, the last N
// outputs, newest first; zf is undefined without zi.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> allpole(const at::Tensor& a, const at::Tensor& x,
                                                        const std::optional<at::Tensor>& zi = {});

// How the output of lfilter, from rest, moves with each coefficient:
// (dy/db [..., T, M+1], dy/da [..., T, N+1]), a_0 included, in one filter pass each, after one for
// y. The time axis of x comes last but one.
POLEZERO_API std::tuple<at::Tensor, at::Tensor> sensitivity(const at::Tensor& b,
                                                            const at::Tensor& a,
                                                            const at::Tensor& x, int64_t axis = -1);

}  // namespace polezero
