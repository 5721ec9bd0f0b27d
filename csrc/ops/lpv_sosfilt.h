// A cascade of second-order sections that change with time, or one of them, whose numerator and
// denominator are tensors of their own; time on the last axis, leading dimensions broadcast.
#pragma once

#include <tuple>

#include "ops/checks.h"

namespace polezero {

// sos[..., F, K, 6], of frames as csrc/params/frames.h has them, a_0 divided out in float64 after
// they are interpolated; x[..., T], zi[..., K, 2] or none -> y[..., T], zf[..., K, 2] (zf[0]
// without zi). Each section is in transposed direct form II.
std::tuple<Tensor, Tensor> lpv_sosfilt_forward(const Tensor& sos, const Tensor& x,
                                               const OptionalTensor& zi, c10::SymInt hop,
                                               c10::SymInt offset, bool linear);

// b[..., F, 3] and a[..., F, 3], with a_0, otherwise the same; zi and zf[..., 2].
std::tuple<Tensor, Tensor> lpv_lfilter_forward(const Tensor& b, const Tensor& a, const Tensor& x,
                                               const OptionalTensor& zi, c10::SymInt hop,
                                               c10::SymInt offset, bool linear);

// (grad_sos in the dtype of sos, grad_x[..., T], grad_zi[..., K, 2] in float64), one row for each
// row of the broadcast problem, but grad_sos is summed over the last `shared` of the leading
// dimensions, which sos does not have, or with size 1; what is not needed comes back with shape
// [0]. Needs x and y, and zi where the filter had one, for grad_sos: what is between the sections
// is filtered once more.
std::tuple<Tensor, Tensor, Tensor> lpv_sosfilt_backward(
    const Tensor& grad_y, const OptionalTensor& grad_zf, const Tensor& sos, const OptionalTensor& x,
    const OptionalTensor& y, const OptionalTensor& zi, bool need_sos, bool need_x, bool need_zi,
    int64_t shared, c10::SymInt hop, c10::SymInt offset, bool linear);

// Likewise (grad_b, grad_a, grad_x, grad_zi[..., 2]). Nothing is filtered once more, and zi is not
// needed.
std::tuple<Tensor, Tensor, Tensor, Tensor> lpv_lfilter_backward(
    const Tensor& grad_y, const OptionalTensor& grad_zf, const Tensor& b, const Tensor& a,
    const OptionalTensor& x, const OptionalTensor& y, bool need_filter, bool need_x, bool need_zi,
    int64_t shared, c10::SymInt hop, c10::SymInt offset, bool linear);

// A tensor of one filter as that of a cascade of one section.
inline Tensor with_section(const Tensor& t) { return t.defined() ? t.unsqueeze(-2) : t; }

// How many of the last leading dimensions sections[..., F, K, 6 or 3] do not have, or with size 1,
// of those that they have with x[..., T] and zi[..., K, 2], which may be undefined.
int64_t shared_dimensions(const Tensor& sections, const Tensor& x, const Tensor& zi);

}  // namespace polezero
