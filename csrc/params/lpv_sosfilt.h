// Cascades of second-order sections that change with time: plain data in, no Torch. Section k of a
// row filters what section k - 1 gave, each in transposed direct form II with the coefficients of
// the sample, divided by a_0:
//    y[n] = b_0[n] x[n] + s_0,   s_0 = b_1[n] x[n] - a_1[n] y[n] + s_1,   s_1 = b_2[n] x[n] -
//    a_2[n] y[n]
// The adjoint, backwards in time and from the last section to the first, is in direct form II:
//    lambda[n] = g[n] - a_1[n] lambda[n+1] - a_2[n] lambda[n+2]
//    grad_x[n] = b_0[n] lambda[n] + b_1[n] lambda[n+1] + b_2[n] lambda[n+2]
// and the gradient of coefficient i of sample n is lambda[n+i] times the conjugate of x[n], or of
// -y[n].
#pragma once

#include "math/scalar.h"
#include "params/frames.h"
#include "params/range.h"

namespace polezero {

inline constexpr int64_t kSectionTile = 32;  // samples

// The end of the tile that begins at sample n: where frames are long, it has a single frame.
POLEZERO_HD_INLINE int64_t section_tile_end(const Frames& frames, int64_t n, int64_t time) {
  int64_t end = n + kSectionTile;
  if (frames.long_ones(kSectionTile) && frames.end(n) < end) end = frames.end(n);
  return end < time ? end : time;
}

// Rows that go side by side, `lanes` of them or fewer: those of a batch have one set of sections,
// or each its own. A Range of these kernels is one of batches.
// (Nothing of it is a function of its own: it is compiled once per instruction set.)
struct Batches {
  int64_t rows, rows_per_set;
  int64_t lanes;

  // Within a batch.
  POLEZERO_HD_INLINE bool sets_differ() const { return rows_per_set == 1 && rows > 1; }
  POLEZERO_HD_INLINE int64_t rows_together() const { return sets_differ() ? rows : rows_per_set; }
  POLEZERO_HD_INLINE int64_t per_set() const { return (rows_together() + lanes - 1) / lanes; }
  POLEZERO_HD_INLINE int64_t sets() const { return rows / rows_together(); }
  POLEZERO_HD_INLINE int64_t count() const { return sets() * per_set(); }
  POLEZERO_HD_INLINE int64_t begin(int64_t batch) const {
    return batch / per_set() * rows_together() + batch % per_set() * lanes;
  }
  POLEZERO_HD_INLINE int64_t size(int64_t batch) const {
    const int64_t left = rows_together() - batch % per_set() * lanes;
    return left < lanes ? left : lanes;
  }
};

// b_0 b_1 b_2 and a_0 a_1 a_2 of sections: of one tensor [.., 6], or of two [.., 3].
template <class T>
struct SectionNumbers {
  T *b = nullptr, *a = nullptr;

  POLEZERO_HD_INLINE explicit operator bool() const { return b != nullptr; }
  POLEZERO_HD_INLINE SectionNumbers operator+(int64_t numbers) const {
    return {b + numbers, a + numbers};
  }
  // In the order of one tensor.
  POLEZERO_HD_INLINE T& operator[](int i) const { return i < 3 ? b[i] : a[i - 3]; }
};

// Sections [sets, F, K], `stride` numbers from one to the next: row r has set r / rows_per_set.
template <class scalar_t>
struct VaryingSections {
  int64_t count = 0;  // K
  Frames frames{};
  int64_t rows_per_set = 1;
  int64_t stride = 6;                            // 3: b and a are tensors of their own
  SectionNumbers<const scalar_t> given{};        // or, where they are not the signal's type,
  SectionNumbers<const acc_t<scalar_t>> wide{};  // these; always where there are frames
  bool* singular = nullptr;                      // set where an a_0 is 0; null: nobody asks

  POLEZERO_HD_INLINE int64_t set_stride() const { return frames.count * count * stride; }
};

template <class scalar_t>
struct LpvSosfiltForwardParams {
  VaryingSections<scalar_t> sections;
  int64_t rows = 0;   // B
  const scalar_t* x;  // [B, T]
  int64_t x_stride;
  scalar_t* y;  // [B, T], or null: only states are asked for, and not the last section's
  int64_t y_stride;
  acc_t<scalar_t>* state;  // [B, K, 2], carried on
  // The states before each tile, [tiles, batches, K, 2, lanes], or null.
  acc_t<scalar_t>* before_tiles = nullptr;
};

// What is between the sections is filtered once more, from the states that a forward pass left in
// before_tiles.
template <class scalar_t>
struct LpvSosfiltBackwardParams {
  VaryingSections<scalar_t> sections;
  int64_t rows = 0;
  const scalar_t* grad_y;  // [B, T]
  int64_t grad_y_stride;
  scalar_t* grad_x;  // [B, T], or null: not needed
  int64_t grad_x_stride;
  acc_t<scalar_t>* state;  // [B, K, 2], of the adjoint: in after the end, out before the beginning
  const scalar_t* x = nullptr;  // [B, T], or null: no gradient of the sections
  int64_t x_stride = 0;
  const scalar_t* y = nullptr;  // [B, T], with x
  int64_t y_stride = 0;
  const acc_t<scalar_t>* before_tiles = nullptr;  // not of a single section
  // That gradient, one of these:
  SectionNumbers<scalar_t> grad{};              // of every sample, [B, T, K], where each row has
  SectionNumbers<acc_t<scalar_t>> wide_grad{};  // its own; as the sections are given
  acc_t<scalar_t>* sums = nullptr;  // of frames, added to: [B, F, K, 6] where each row has its own,
                                    // else [batches, F, K, 6]
  acc_t<scalar_t>* parts = nullptr;  // of every sample and each batch, [batches, tiles of the
                                     // range, K, 5, tile], set
};

// Sums of parts, over the batches of a set: the gradient of sections that rows share.
template <class scalar_t>
struct LpvSosfiltSumParams {
  VaryingSections<scalar_t> sections;
  Batches batches;
  const acc_t<scalar_t>* parts;   // of a range of time
  SectionNumbers<scalar_t> grad;  // [sets, T, K], or
  SectionNumbers<acc_t<scalar_t>> wide_grad;
};

}  // namespace polezero
