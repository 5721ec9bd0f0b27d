// Zero phase on the CPU: some rows at a time go forth and back in place, in float64 or complex128,
// by the kernels of lfilter and sosfilt.
#pragma once

#include <ATen/Parallel.h>

#include <memory>
#include <vector>

#include "kernels/cpu/flush_denormals.h"
#include "kernels/cpu/launch.h"
#include "ops/host_call.h"
#include "ops/tensors.h"

namespace polezero::host_zero_phase {

// The filters of all rows, in A.
template <class A>
class Filter {
 public:
  // b[..., K, M+1], a[..., K, N] without a_0
  template <class Call>
  Filter(Call& call, const Tensor& b, const Tensor& a)
      : sections(b.size(-2)), taps_b(b.size(-1)), order_a(a.size(-1)) {
    const int64_t P = std::max(taps_b - 1, order_a);
    const auto padded = [&](const Tensor& c, int64_t taps) {
      return pad_last(wide(c), 0, taps - c.size(-1)).flatten(-2);
    };
    const Rows sets = coefficient_sets(join(padded(b, P + 1), padded(a, P)), call.leading());
    const Tensor all = sets.memory.view({-1, sections * (2 * P + 1)});
    const auto part = [&](int64_t begin, int64_t end, bool conjugate) {
      const Tensor c = all.slice(-1, begin, end);
      return static_cast<const A*>(
          call.keep((conjugate ? conjugated(c) : c).contiguous()).const_data_ptr());
    };
    const int64_t in_b = sections * (P + 1), in_all = all.size(-1);
    filters_ = {taps_b - 1,
                order_a,
                P,
                sets.stride == 0 ? 0 : sections,
                part(0, in_b, false),
                part(in_b, in_all, false)};
    conjugate_ = filters_;
    if (!all.is_complex()) return;
    conjugate_.b = part(0, in_b, true);
    conjugate_.a = part(in_b, in_all, true);
  }

  const int64_t sections, taps_b, order_a;  // K, M + 1, N

  int64_t order() const { return filters_.order; }
  int64_t states() const { return sections * order(); }

  // u[rows, length] of the rows from `row` on, in place. The states are carried on.
  void forward(A* u, A* state, int64_t row, int64_t rows, int64_t length) const {
    if (sections == 1) {
      cpu::lfilter_forward<A>({from(filters_, row), u, length, u, length, state}, rows, length);
    } else {
      cpu::sosfilt_forward<A>({{sections, from(filters_, row)}, u, length, u, length, state}, rows,
                              length);
    }
  }
  // The adjoint of g, into grad_x, which may be g or, not needed, null, and with x and y = F x,
  // which begins in the state zi, the gradients of b and a, added to. (Several filters find y
  // anew.)
  void adjoint(const A* g, A* grad_x, A* state, int64_t row, int64_t rows, int64_t length,
               const A* x = nullptr, const A* y = nullptr, const A* zi = nullptr,
               A* grad_b = nullptr, A* grad_a = nullptr) const {
    if (sections > 1) {
      std::vector<A> sums(x == nullptr ? 0 : rows * sections * 5);
      cpu::sosfilt_backward<A>({{sections, from(filters_, row)},
                                g,
                                length,
                                grad_x,
                                length,
                                x,
                                length,
                                zi,
                                state,
                                sums.data()},
                               rows, length);
      for (size_t i = 0; i < sums.size(); ++i) {
        const size_t filter = i / 5, tap = i % 5;
        (tap < 3 ? grad_b[3 * filter + tap] : grad_a[2 * filter + tap - 3]) += sums[i];
      }
      return;
    }
    const int64_t P = order();
    const std::vector<A> after(state, state + rows * P);
    std::vector<A> sum_b(x == nullptr ? 0 : rows * taps_b),
        sum_a(x == nullptr ? 0 : rows * (order_a + 1));
    cpu::lfilter_backward<A>({from(conjugate_, row), g, length, grad_x, length, x, length, y,
                              length, state, sum_b.data(), sum_a.data()},
                             rows, length);
    for (int64_t r = 0; x != nullptr && r < rows; ++r) {
      const A* end = after.data() + r * P;
      for (int64_t k = 0; k < taps_b; ++k) {
        grad_b[r * taps_b + k] +=
            sum_b[r * taps_b + k] + cpu::tail_sum(end, P, x + r * length, length, k);
      }
      for (int64_t i = 1; i <= order_a; ++i) {
        grad_a[r * order_a + i - 1] -=
            sum_a[r * (order_a + 1) + i] + cpu::tail_sum(end, P, y + r * length, length, i);
      }
    }
  }

 private:
  static Filters<A> from(Filters<A> f, int64_t row) {
    f.b += row * f.filter_stride * (f.order + 1);
    f.a += row * f.filter_stride * f.order;
    return f;
  }

  Filters<A> filters_, conjugate_;
};

// u[length + time + length] of x[time].
struct Ends {
  int64_t length;
  double of_end, of_mirrored;

  template <class A, class T>
  void extend(const T* x, int64_t time, A* u) const {
    const A first = of_end * static_cast<A>(x[0]), last = of_end * static_cast<A>(x[time - 1]);
    A *middle = u + length, *behind = middle + time;
    for (int64_t i = 0; i < length; ++i) {
      u[i] = first + of_mirrored * static_cast<A>(x[length - i]);
      behind[i] = last + of_mirrored * static_cast<A>(x[time - 2 - i]);
    }
    for (int64_t n = 0; n < time; ++n) middle[n] = static_cast<A>(x[n]);
  }
  // The transpose, into x; u changes.
  template <class A, class T>
  void fold(A* u, int64_t time, T* x) const {
    A *middle = u + length, *behind = middle + time;
    for (int64_t i = 0; i < length; ++i) {
      middle[0] += of_end * u[i];
      middle[time - 1] += of_end * behind[i];
      middle[length - i] += of_mirrored * u[i];
      middle[time - 2 - i] += of_mirrored * behind[i];
    }
    for (int64_t n = 0; n < time; ++n) x[n] = static_cast<T>(middle[n]);
  }
};

// Rows in flight, and f(first row, rows) for each group of them on some thread.
template <class F>
void in_groups(int64_t rows, int64_t rows_in_flight, int64_t length, F&& f) {
  constexpr int64_t kSamples = int64_t{1} << 15;  // of a group at least
  const int64_t each = std::max(rows_in_flight, kSamples / length);
  const int64_t groups = (rows + each - 1) / each;
  if (groups == 1) return f(0, rows);  // whose rows, or their time, the kernels give to threads
  at::parallel_for(0, groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(i * each, std::min(each, rows - i * each));
  });
}

// Memory that is not set to zero first: that would be one more pass over it.
template <class A>
struct Rows64 : std::unique_ptr<A[]> {
  explicit Rows64(int64_t size) : std::unique_ptr<A[]>(new A[size]) {}
};

// state[rows, states] = unit[rows, states] * level[rows]
template <class A>
std::vector<A> scaled(const A* unit, const std::vector<A>& level, int64_t states) {
  std::vector<A> state(level.size() * states);
  for (size_t i = 0; i < state.size(); ++i) {
    state[i] = host::multiply(unit[i], level[i / states]);
  }
  return state;
}

}  // namespace polezero::host_zero_phase
