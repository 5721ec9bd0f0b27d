// What isa.cpp exports: its kernels, for each scalar type. Signals are [B, T] rows.
#pragma once

#include "params/lag_correlation.h"
#include "params/lattice.h"
#include "params/lfilter.h"
#include "params/lpv.h"
#include "params/modal.h"
#include "params/sosfilt.h"
#include "params/sparse.h"
#include "params/spline.h"
#include "params/state_space.h"

namespace polezero {

template <class scalar_t>
struct KernelsOf {
  void (*lfilter_forward)(const LfilterForwardParams<scalar_t>&, const Range&);
  void (*lfilter_backward)(const LfilterBackwardParams<scalar_t>&, const Range&);
  void (*lag_correlation)(const LagCorrelationParams<scalar_t>&, const Range&);
  void (*lpv_allpole)(const LpvAllpoleParams<scalar_t>&, const Range&);
  void (*lpv_allpole_backward)(const LpvAllpoleBackwardParams<scalar_t>&, const Range&);
  void (*lag_product)(const LagProductParams<scalar_t>&, const Range&);
  // whole rows: samples [0, T)
  void (*lpv_fir)(const LpvFirParams<scalar_t>&, const Range&);
  void (*sosfilt_forward)(const SosfiltForwardParams<scalar_t>&, const Range&);
  void (*sosfilt_backward)(const SosfiltBackwardParams<scalar_t>&, const Range&);
  void (*lattice_forward)(const LatticeForwardParams<scalar_t>&, const Range&);
  void (*lattice_backward)(const LatticeBackwardParams<scalar_t>&, const Range&);
  void (*state_space)(const StateSpaceParams<scalar_t>&, const Range&);
  // whole rows
  void (*sparse)(const SparseParams<scalar_t>&, const Range&);
  void (*sparse_product)(const SparseProductParams<scalar_t>&, const Range&);
  // whole rows: points [0, P), or the knots
  void (*spline)(const SplineParams<scalar_t>&, const Range&);
  void (*spline_transposed)(const SplineParams<scalar_t>&, const Range&);
  void (*upsample)(const UpsampleParams<scalar_t>&, const Range&);
  void (*upsample_transposed)(const UpsampleParams<scalar_t>&, const Range&);
};

// Whole rows; signals are real.
template <class scalar_t>
struct ModalKernelsOf {
  void (*bank)(const ModalBankParams<scalar_t>&, const Range&);
  void (*correlation)(const ModalCorrelationParams<scalar_t>&, const Range&);
};

struct Kernels {
  KernelsOf<float> f32;
  KernelsOf<double> f64;
  KernelsOf<std::complex<float>> c64;
  KernelsOf<std::complex<double>> c128;
  ModalKernelsOf<float> modal_f32;
  ModalKernelsOf<double> modal_f64;
};

}  // namespace polezero
