// Tensors as the kernels read them: rows at a constant stride, B of them, the product of the
// leading dimensions. Nothing is copied that has this form.
#pragma once

#include <ATen/core/Tensor.h>

namespace polezero {

using at::Tensor;

// Rows in memory, `stride` elements from one to the next; 0: all are the same one.
struct Rows {
  Tensor memory;
  int64_t stride = 0;
};

at::DimVector with_last(at::IntArrayRef leading, int64_t last);
// The sizes of tensors that have memory.
at::DimVector concrete(const c10::SymDimVector& sizes);

// `t`, expanded to `leading`: [B, T], time contiguous.
Rows rows_of(const Tensor& t, at::IntArrayRef leading);
// Coefficients [..., T, taps]: [B, T * taps].
Rows time_rows_of(const Tensor& coefficients, at::IntArrayRef leading);
// Coefficients [..., taps]: one set of them where all rows share it, else [B, taps].
Rows coefficient_sets(const Tensor& t, at::IntArrayRef leading);
// [leading..., last], contiguous.
Tensor dense_rows(const Tensor& t, at::IntArrayRef leading);

// The same in float64 or complex128.
inline Tensor wide(const Tensor& t) {
  return t.to(t.is_complex() ? at::kComplexDouble : at::kDouble);
}

// The elements of an output, null where it was not needed.
template <class T>
T* mutable_data(const Tensor& t) {
  return t.numel() == 0 ? nullptr : static_cast<T*>(t.mutable_data_ptr());
}

}  // namespace polezero
