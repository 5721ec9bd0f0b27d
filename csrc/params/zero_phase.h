// A cascade forth and back over a signal that is extended at both ends, y = F^H F u: plain data in,
// no Torch. Both ways are found a tile of time at a time and nothing between them is kept but the
// states in which tiles begin.
#pragma once

#include <atomic>

#include "params/sosfilt.h"

namespace polezero {

// u[length + T + length]: before x come `length` samples of_end * x[0] + of_mirrored * x[length -
// n], behind it as many, likewise of the last sample and those before it.
struct Ends {
  int64_t length;
  double of_end, of_mirrored;

  int64_t extended(int64_t time) const { return time + 2 * length; }
};

// A row that would be alone may be cut into pieces that go side by side, a lane each, as if they
// were rows. Piece i is u[i * step .. i * step + span). Of its own are the samples from `overlap`
// to overlap + step; the first has those before them too, the last those behind them. In the
// samples of others, from which it is not known in which state a piece begins, nothing is left of
// the difference at its own.
struct Pieces {
  int64_t count = 1, step = 0, overlap = 0, span = 0;
};

template <class scalar_t>
struct ZeroPhaseParams {
  Sections<scalar_t> filters;  // K of order P
  Ends ends;
  int64_t time;  // T
  Pieces pieces;
  // The filter begins in zi times its first sample, its adjoint in adjoint_zi times its first one,
  // the last.
  const acc_t<scalar_t>* zi;          // [B, K, P]
  const acc_t<scalar_t>* adjoint_zi;  // [B, K, P]
  // Set where something was not finite in a filter that was padded with zeros, to which 0 times
  // infinity has then come: the result is not to be used.
  std::atomic<bool>* poisoned;
};

template <class scalar_t>
struct ZeroPhaseForwardParams : ZeroPhaseParams<scalar_t> {
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  scalar_t* y;  // [B, T], dense
};

// With w = F u and g the gradient of y, zero where the extensions were, Re <g, F^H w> = Re <F g,
// w>: the sums are those of two adjoints, F^H w beside g and F^H F g beside u.
template <class scalar_t>
struct ZeroPhaseBackwardParams : ZeroPhaseParams<scalar_t> {
  const scalar_t* grad_y;  // [B, T]
  int64_t grad_y_stride;
  const scalar_t* x;  // [B, T], or null: gradients of x alone
  int64_t x_stride;
  scalar_t* grad_x;                  // [B, T], dense, or null: not needed
  acc_t<scalar_t>* sums;             // [B, pieces, K, 2 P + 1], added to
  acc_t<scalar_t>* grad_zi;          // [B, K, P]
  acc_t<scalar_t>* grad_adjoint_zi;  // [B, K, P]
};

}  // namespace polezero
