#include "ops/rows.h"

namespace polezero {

at::DimVector with_last(at::IntArrayRef leading, int64_t last) {
  at::DimVector sizes(leading.begin(), leading.end());
  sizes.push_back(last);
  return sizes;
}

at::DimVector concrete(const c10::SymDimVector& sizes) {
  return at::DimVector(C10_AS_INTARRAYREF_SLOW(c10::SymIntArrayRef(sizes)));
}

Rows rows_of(const Tensor& t, at::IntArrayRef leading) {
  const int64_t last = t.size(-1);
  Tensor own = t.resolve_conj().resolve_neg();
  if (own.is_contiguous() && own.sizes().slice(0, own.dim() - 1) == leading) return {own, last};
  own = own.expand(with_last(leading, last)).reshape({c10::multiply_integers(leading), last});
  if (last > 1 && own.stride(1) != 1) own = own.contiguous();
  return {own, own.stride(0)};
}

Rows time_rows_of(const Tensor& coefficients, at::IntArrayRef leading) {
  const int64_t T = coefficients.size(-2), taps = coefficients.size(-1);
  Tensor own = coefficients.resolve_conj().resolve_neg();
  const bool dense = (taps <= 1 || own.stride(-1) == 1) && (T <= 1 || own.stride(-2) == taps);
  if (!dense) own = own.contiguous();  // while rows still share it
  own = own.expand(with_last(with_last(leading, T), taps))
            .reshape({c10::multiply_integers(leading), T, taps});
  return {own, own.stride(0)};
}

Rows coefficient_sets(const Tensor& t, at::IntArrayRef leading) {
  const int64_t taps = t.size(-1);
  // every leading dimension repeats the same coefficients
  bool shared = c10::multiply_integers(t.sizes().slice(0, t.dim() - 1)) > 0;
  for (int64_t i = 0; i + 1 < t.dim(); ++i) shared &= t.size(i) == 1 || t.stride(i) == 0;
  Tensor sets = t.resolve_conj().resolve_neg();
  if (!shared) {
    sets = sets.expand(with_last(leading, taps)).reshape({c10::multiply_integers(leading), taps});
    return {sets.contiguous(), taps};
  }
  while (sets.dim() > 1) sets = sets.select(0, 0);
  return {sets.contiguous(), 0};
}

Tensor dense_rows(const Tensor& t, at::IntArrayRef leading) {
  return t.resolve_conj().resolve_neg().expand(with_last(leading, t.size(-1))).contiguous();
}

}  // namespace polezero
