// Many rows go through all sections side by side; few real ones go through one section after
// another, by the kernels of a single filter, which are fast along time.
#include <memory>
#include <type_traits>
#include <vector>

#include "kernels/cpu/launch.h"
#include "kernels/cpu/run_rows.h"
#include "kernels/cpu/sosfilt.h"

namespace polezero::cpu {
namespace {

// Measured: from here on rows side by side are faster.
constexpr int64_t kRowsSideBySide = 4;

// Two values of section k for each row, out of [B, K, 2].
template <class A>
std::vector<A> state_of(const A* states, int64_t k, int64_t K, int64_t rows) {
  std::vector<A> state;
  for (int64_t r = 0; r < rows; ++r) {
    state.insert(state.end(), states + (r * K + k) * 2, states + (r * K + k) * 2 + 2);
  }
  return state;
}
template <class A>
void put_state(const std::vector<A>& state, A* states, int64_t k, int64_t K) {
  for (size_t i = 0; i < state.size(); ++i) states[(i / 2 * K + k) * 2 + i % 2] = state[i];
}

// Signals that are not set to zero first: that would be one more pass over memory.
template <class T>
struct Signal : std::unique_ptr<T[]> {
  explicit Signal(int64_t size) : std::unique_ptr<T[]>(new T[size]) {}
};

template <class T>
void forward_by_sections(const SosfiltForwardParams<T>& p, int64_t rows, int64_t time) {
  const int64_t K = p.sections.count;
  const Signal<T> between(K > 1 ? rows * time : 0);
  const T* x = p.x;
  int64_t x_stride = p.x_stride;
  for (int64_t k = 0; k < K; ++k) {
    const bool to_y = (K - 1 - k) % 2 == 0;  // the last one writes y
    T* y = to_y ? p.y : between.get();
    const int64_t y_stride = to_y ? p.y_stride : time;
    auto state = state_of(p.state, k, K, rows);
    lfilter_forward<T>({p.sections.section(k), x, x_stride, y, y_stride, state.data()}, rows, time);
    put_state(state, p.state, k, K);
    x = y;
    x_stride = y_stride;
  }
}

template <class T>
void backward_by_sections(const SosfiltBackwardParams<T>& p, int64_t rows, int64_t time) {
  const int64_t K = p.sections.count, size = rows * time;
  const Signal<T> outputs(p.x == nullptr ? 0 : K * size);
  const Signal<T> gradients[2] = {Signal<T>(K > 2 ? size : 0), Signal<T>(K > 1 ? size : 0)};
  for (int64_t k = 0; p.x != nullptr && k < K; ++k) {
    auto state = state_of(p.zi, k, K, rows);
    const T* x = k == 0 ? p.x : outputs.get() + (k - 1) * size;
    lfilter_forward<T>({p.sections.section(k), x, k == 0 ? p.x_stride : time,
                        outputs.get() + k * size, time, state.data()},
                       rows, time);
  }
  const T* g = p.grad_y;
  int64_t g_stride = p.grad_y_stride;
  for (int64_t k = K - 1; k >= 0; --k) {
    auto state = state_of(p.state, k, K, rows);
    const auto tail = state;
    T* grad = p.grad_x;
    int64_t stride = p.grad_x_stride;
    if (k > 0) {
      grad = gradients[k % 2].get();
      stride = time;
    }
    const T* x = k == 0 ? p.x : p.x == nullptr ? nullptr : outputs.get() + (k - 1) * size;
    const T* y = p.x == nullptr ? nullptr : outputs.get() + k * size;
    const int64_t x_stride = k == 0 ? p.x_stride : time;
    std::vector<double> sum_b(3 * rows), sum_a(3 * rows);
    lfilter_backward<T>({p.sections.section(k), g, g_stride, grad, stride, x, x_stride, y, time,
                         state.data(), sum_b.data(), sum_a.data()},
                        rows, time);
    put_state(state, p.state, k, K);
    for (int64_t r = 0; p.x != nullptr && r < rows; ++r) {
      const double* after = tail.data() + 2 * r;
      double* sums = p.sums + (r * K + k) * 5;
      for (int64_t i = 0; i < 3; ++i) {
        sums[i] += sum_b[3 * r + i] + tail_sum(after, 2, x + r * x_stride, time, i);
      }
      for (int64_t i = 1; i < 3; ++i) {
        sums[2 + i] -= sum_a[3 * r + i] + tail_sum(after, 2, y + r * time, time, i);
      }
    }
    g = grad;
    g_stride = stride;
  }
}

}  // namespace

template <class scalar_t>
void sosfilt_forward(const SosfiltForwardParams<scalar_t>& p, int64_t rows, int64_t time) {
  if constexpr (std::is_floating_point_v<scalar_t>) {
    if (rows < kRowsSideBySide && !p.in_float64) return forward_by_sections(p, rows, time);
  }
  run_rows(sosfilt_kernels<scalar_t>().forward, p, rows, time, p.sections.count);
}

template <class scalar_t>
void sosfilt_backward(const SosfiltBackwardParams<scalar_t>& p, int64_t rows, int64_t time) {
  if constexpr (std::is_floating_point_v<scalar_t>) {
    if (rows < kRowsSideBySide) return backward_by_sections(p, rows, time);
  }
  run_rows(sosfilt_kernels<scalar_t>().backward, p, rows, time, p.sections.count);
}

#define POLEZERO_INSTANTIATE(scalar_t)                                                      \
  template void sosfilt_forward<scalar_t>(const SosfiltForwardParams<scalar_t>&, int64_t,   \
                                          int64_t);                                         \
  template void sosfilt_backward<scalar_t>(const SosfiltBackwardParams<scalar_t>&, int64_t, \
                                           int64_t);
POLEZERO_FOR_EACH_SCALAR(POLEZERO_INSTANTIATE, std::complex)
#undef POLEZERO_INSTANTIATE

}  // namespace polezero::cpu
