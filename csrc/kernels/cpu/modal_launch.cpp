// Banks of modes: rows to threads.
#include "kernels/cpu/capability.h"
#include "kernels/cpu/launch.h"
#include "kernels/cpu/run_rows.h"

namespace polezero::cpu {

namespace {

template <class scalar_t>
const ModalKernelsOf<scalar_t>& modal_kernels() {
  const Kernels& k = *cpu_capability().kernels;
  if constexpr (std::is_same_v<scalar_t, float>) {
    return k.modal_f32;
  } else {
    return k.modal_f64;
  }
}

int64_t samples_worth(const ModalPoles& p) { return 1 + p.modes * p.orders / 8; }

}  // namespace

template <class scalar_t>
void modal_bank(const ModalBankParams<scalar_t>& p, int64_t rows, int64_t time) {
  run_rows(modal_kernels<scalar_t>().bank, p, rows, time, samples_worth(p.poles));
}

template <class scalar_t>
void modal_correlation(const ModalCorrelationParams<scalar_t>& p, int64_t rows, int64_t time) {
  run_rows(modal_kernels<scalar_t>().correlation, p, rows, time, samples_worth(p.poles));
}

template void modal_bank<float>(const ModalBankParams<float>&, int64_t, int64_t);
template void modal_bank<double>(const ModalBankParams<double>&, int64_t, int64_t);
template void modal_correlation<float>(const ModalCorrelationParams<float>&, int64_t, int64_t);
template void modal_correlation<double>(const ModalCorrelationParams<double>&, int64_t, int64_t);

}  // namespace polezero::cpu
