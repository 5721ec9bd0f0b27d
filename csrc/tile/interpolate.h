// An Interpolator's weights, on every device.
#pragma once

#include "kernels/interpolator.h"
#include "tile/host_device.h"
#include "tile/isa.h"

POLEZERO_ISA_BEGIN

POLEZERO_HD double weight_of(const Interpolator& f, int64_t j, double u) {
  const double* w = f.w[j];
  return w[0] + u * (w[1] + u * (w[2] + u * w[3]));
}

POLEZERO_ISA_END
