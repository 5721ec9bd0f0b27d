// Banks of modes and correlations with them, on every instruction set and on an emulated GPU,
// against their definition in extended precision.
#include "kernels/cpu/modal.h"

#include "emulated_block.h"
#include "kernels/cuda/tile/modal_chunks.h"
#include "support.h"

namespace polezero::test {
namespace {

using C = std::complex<double>;
using E = std::complex<long double>;

struct Shape {
  int64_t rows, time, modes, orders;
  double radius = 0.99;
  bool shared = false, reverse = false, zi = true;
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    return out << s.rows << " rows, " << s.time << " samples, " << s.modes << " modes, " << s.orders
               << " orders, radius " << s.radius << (s.shared ? ", shared" : "")
               << (s.reverse ? ", reverse" : "") << (s.zi ? ", zi" : "");
  }
};

const Shape kShapes[] = {{1, 0, 3, 1},
                         {0, 40, 3, 1},
                         {2, 40, 0, 1},
                         {2, 200, 0, 1},
                         {2, 5, 1, 1},
                         {2, 127, 3, 2},
                         {3, 128, 17, 1},
                         {2, 300, 3, 3, 0.99, true},
                         {2, 1000, 17, 2, 0.9, false, true, false},
                         {2, 777, 64, 1, 1.0, true, true, false},
                         {1, 20000, 9, 2, 0.999, true, false, false},
                         {1, 300000, 5, 1, 0.999999}};

const double* pairs(const std::vector<C>& c) { return reinterpret_cast<const double*>(c.data()); }
double* pairs(std::vector<C>& c) { return reinterpret_cast<double*>(c.data()); }

template <class T>
struct Case {
  Shape s;
  std::vector<C> poles, gains, zi;
  Rows<T> x, g;

  Case(Random& random, const Shape& shape)
      : s(shape),
        gains(random.signal<C>((s.shared ? 1 : s.rows) * s.modes * s.orders)),
        x(random_rows<T>(random, s.rows, s.time, 3)),
        g(random_rows<T>(random, s.rows, s.time, 0)) {
    for (int64_t i = 0; i < (s.shared ? 1 : s.rows) * s.modes; ++i) {
      poles.push_back(std::polar(s.radius, random.uniform(-std::numbers::pi, std::numbers::pi)));
    }
    if (s.zi) zi = random.signal<C>(s.rows * s.modes);
  }

  ModalPoles view() const { return {s.modes, s.orders, pairs(poles), s.shared ? 0 : 2 * s.modes}; }
  ModalBankParams<T> bank(Rows<T>& y, std::vector<C>& state) const {
    return {.poles = view(),
            .gains = pairs(gains),
            .gains_stride = s.shared ? 0 : 2 * s.modes * s.orders,
            .reverse = s.reverse,
            .x = x.data.data(),
            .x_stride = x.stride,
            .y = y.data.data(),
            .y_stride = y.stride,
            .state = s.zi ? pairs(state) : nullptr};
  }
  ModalCorrelationParams<T> correlation(std::vector<C>& c) const {
    return {.poles = view(),
            .g = g.data.data(),
            .g_stride = g.stride,
            .x = x.data.data(),
            .x_stride = x.stride,
            .state = s.zi ? pairs(zi) : nullptr,
            .c = pairs(c)};
  }

  // sample(n) after each step of the states of row r, [K, J], in the order of filtering.
  template <class Sample>
  std::vector<E> states(int64_t r, bool reverse, Sample&& sample) const {
    std::vector<E> v(s.modes * s.orders);
    for (int64_t k = 0; s.zi && s.orders > 0 && k < s.modes; ++k) {
      v[k * s.orders] = E(zi[r * s.modes + k]);
    }
    for (int64_t step = 0; step < s.time; ++step) {
      const int64_t n = reverse ? s.time - 1 - step : step;
      for (int64_t k = 0; k < s.modes; ++k) {
        const E p(poles[(s.shared ? 0 : r * s.modes) + k]);
        E in = static_cast<long double>(x.row(r)[n]);
        for (int64_t j = 0; j < s.orders; ++j) {
          const E now = v[k * s.orders + j];
          v[k * s.orders + j] = p * now + in;
          in = now;
        }
      }
      sample(n, v);
    }
    return v;
  }
};

// What a GPU computes, in chunks of so many samples; `work` gets them before their last step.
template <class T, class Work>
void in_chunks(const Case<T>& c, const double* state, bool reverse, int64_t length, Work&& work) {
  host::ModalChunks<C> chunks{
      .rows = c.s.rows, .time = c.s.time, .length = length, .count = 1, .now = nullptr, .tree = {}};
  chunks.count = std::max<int64_t>(1, (c.s.time + length - 1) / length);
  const int64_t modes = c.s.rows * c.s.modes, numbers = modes * chunks.count * c.s.orders;
  host::ChunkTree<C>& tree = chunks.tree;
  tree = {.count = chunks.count,
          .states = static_cast<int>(c.s.orders),
          .constant = true,
          .shared = false};
  auto now = unwritten<C>(numbers);
  std::vector<host::ComplexDoubleDouble<C>> left_behind(numbers), before(numbers);
  std::vector<host::ComplexQuadDouble<C>> transition(modes * tree.levels() * c.s.orders *
                                                     c.s.orders);
  chunks.now = now.data();
  tree.left_behind = left_behind.data();
  tree.begin = before.data();
  tree.transition = transition.data();
  for (int64_t i = 0; i < modes * tree.levels(); ++i) {
    host::find_modal_transition(c.view(), chunks, i);
  }
  for (int64_t i = 0; i < modes * (chunks.count - 1); ++i) {
    host::find_modal_states(c.view(), chunks, c.x.data.data(), c.x.stride, reverse, i);
  }
  OneThread thread;
  for (int64_t i = 0; chunks.count > 1 && i < modes; ++i) {
    host::carry_modal_states(thread, c.view(), chunks, state, i);
  }
  work(chunks);
}

template <class T>
void bank_on_a_gpu(const Case<T>& c, const ModalBankParams<T>& p, int64_t length) {
  in_chunks(c, p.state, p.reverse, length, [&](const host::ModalChunks<C>& chunks) {
    using Scratch = std::array<double, 2 * host::kModalTile>;
    run_grid<Scratch>(c.s.rows * chunks.count, 2, 1, 0, [&](auto& block, auto& memory, int64_t i) {
      host::modal_bank_chunk<C>(block, memory.data(), p, chunks, i);
    });
  });
}

template <class T>
void correlation_on_a_gpu(const Case<T>& c, const ModalCorrelationParams<T>& p, int64_t length,
                          std::vector<C>& sums) {
  in_chunks(c, p.state, false, length, [&](const host::ModalChunks<C>& chunks) {
    auto parts = unwritten<C>(sums.size() * chunks.count);
    for (int64_t i = 0; i < c.s.rows * chunks.count * c.s.modes; ++i) {
      host::modal_correlation_chunk(p, chunks, parts.data(), i);
    }
    for (size_t i = 0; i < parts.size(); ++i) sums[i / chunks.count] += parts[i];
  });
}

template <class T>
class ModalOf : public ::testing::Test {};
using RealTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(ModalOf, RealTypes);

TYPED_TEST(ModalOf, BanksAreTheirDefinition) {
  using T = TypeParam;
  Random random(1);
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape);
    const Case<T> c(random, shape);
    std::vector<long double> want(shape.rows * shape.time);
    std::vector<E> last;
    for (int64_t r = 0; r < shape.rows; ++r) {
      const C* gains = c.gains.data() + (shape.shared ? 0 : r * shape.modes * shape.orders);
      const auto end = c.states(r, shape.reverse, [&](int64_t n, const std::vector<E>& v) {
        for (size_t i = 0; i < v.size(); ++i)
          want[r * shape.time + n] += (E(gains[i]) * v[i]).real();
      });
      for (int64_t k = 0; k < shape.modes; ++k) last.push_back(end[k * shape.orders]);
    }
    auto check = [&](const char* name, auto&& run) {
      SCOPED_TRACE(name);
      Rows<T> y(shape.rows, shape.time, 1, T(NAN));
      std::vector<C> state = c.zi;
      run(c.bank(y, state));
      for (int64_t r = 0; r < shape.rows; ++r) {
        ASSERT_LE(
            largest_error(y.row(r), want.data() + r * shape.time, shape.time, 1, shape.reverse),
            tolerance<T>());
      }
      if (shape.zi) {
        ASSERT_LE(largest_error(state.data(), last.data(), last.size()), 3e-14);
      }
    };
    for (const InstructionSet isa : available_instruction_sets()) {
      check(name_of(isa), [&](const ModalBankParams<T>& p) {
        cpu::modal_kernels<T>(isa).bank(p, {0, shape.rows, 0, shape.time});
      });
    }
    for (const int64_t length : {64, 4096}) {
      if (shape.time > 300) continue;  // (barriers)
      check("a GPU", [&](const ModalBankParams<T>& p) { bank_on_a_gpu(c, p, length); });
    }
    if (this->HasFatalFailure()) return;
  }
}

TYPED_TEST(ModalOf, CorrelationsAreTheirDefinition) {
  using T = TypeParam;
  Random random(2);
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(shape);
    const Case<T> c(random, shape);
    const int64_t sums = shape.modes * shape.orders;
    std::vector<E> want(shape.rows * sums);
    for (int64_t r = 0; r < shape.rows; ++r) {
      c.states(r, false, [&](int64_t n, const std::vector<E>& v) {
        const auto g = static_cast<long double>(c.g.row(r)[n]);
        for (int64_t i = 0; i < sums; ++i) want[r * sums + i] += g * v[i];
      });
    }
    double scale = 1;
    for (const E& w : want) scale = std::max(scale, static_cast<double>(std::abs(w)));
    for (const InstructionSet isa : available_instruction_sets()) {
      SCOPED_TRACE(name_of(isa));
      std::vector<C> got(want.size());
      cpu::modal_kernels<T>(isa).correlation(c.correlation(got), {0, shape.rows, 0, shape.time});
      ASSERT_LE(largest_error(got.data(), want.data(), want.size(), scale), 1e-13);
    }
    for (const int64_t length : {64, 4096}) {
      SCOPED_TRACE("a GPU");
      std::vector<C> got(want.size());
      correlation_on_a_gpu(c, c.correlation(got), length, got);
      ASSERT_LE(largest_error(got.data(), want.data(), want.size(), scale), 1e-13);
    }
  }
}

// Matrices hold zeros where time has not come yet: they must not meet what is not finite.
TYPED_TEST(ModalOf, WhatIsNotFiniteComesOutFromThereOn) {
  using T = TypeParam;
  Random random(3);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL}) {
    Case<T> c(random, {1, 700, 5, 1, 0.9, false, false, false});
    for (const InstructionSet isa : available_instruction_sets()) {
      SCOPED_TRACE(name_of(isa));
      std::vector<C> none;
      Rows<T> y(1, 700, 0, T(-1)), finite(1, 700, 0, T(NAN));
      c.x.row(0)[400] = 0;
      cpu::modal_kernels<T>(isa).bank(c.bank(finite, none), {0, 1, 0, 700});
      c.x.row(0)[400] = static_cast<T>(bad);
      cpu::modal_kernels<T>(isa).bank(c.bank(y, none), {0, 1, 0, 700});
      for (int64_t n = 0; n < 700; ++n) {
        if (n < 400) {
          ASSERT_LE(error_of(y.row(0)[n], finite.row(0)[n]), tolerance<T>());
        } else {
          ASSERT_FALSE(std::isfinite(y.row(0)[n])) << n;
        }
      }
    }
  }
}

}  // namespace
}  // namespace polezero::test
