// Long float32 filters without feedback, by FFTs of blocks of their rows.
#pragma once

#include "params/lfilter.h"

namespace polezero::cpu {

// Whether FFTs take less than the kernels.
bool long_fir_pays(const Filters<float>& filters, int64_t time);

// As lfilter_forward and lfilter_backward, for filters for which that is so.
void long_fir_forward(const LfilterForwardParams<float>& p, int64_t rows, int64_t time);
void long_fir_backward(const LfilterBackwardParams<float>& p, int64_t rows, int64_t time);

}  // namespace polezero::cpu
