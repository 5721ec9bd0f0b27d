// Every kernel at work, for PTXRUN_STATS: what it asks of memory and of each pipe. ptxrun-counts holds that against
// counts.txt, ptxrun-report makes a roofline of it. `polezero_ptxrun_stats [log2 of the samples] [part of a name]`.
//
// One block is there at a time, in order, and its warps take turns from barrier to barrier: then no block waits for
// another, and nothing is by chance.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "device.h"
#include "params/spline_points.h"
#include "support.h"

namespace polezero::test {
namespace {

constexpr int kH100 = 132;
int64_t all_samples;
std::string chosen;
int cases = 0;

template <class T>
constexpr const char* kName = "float";
template <>
constexpr const char* kName<double> = "double";
template <>
constexpr const char* kName<std::complex<float>> = "complex<float>";
template <>
constexpr const char* kName<std::complex<double>> = "complex<double>";

template <class T>
using on_gpu_t = cuda::on_device_t<T>;

// Rows of a signal of type T, and what a call of a launcher needs beside them.
template <class T>
struct Problem {
  using D = on_gpu_t<T>;
  using A = acc_t<T>;
  using DA = on_gpu_t<A>;
  int64_t rows, time;
  Gpu gpu;
  Random random{1};

  const cuda::Context& context() const { return gpu.context(); }
  template <class S = T>
  const on_gpu_t<S>* signal(int64_t count, double size = 1) {
    auto v = random.signal<S>(count);
    for (S& s : v) s *= static_cast<S>(size / (1 + std::abs(s)));
    return gpu.in(v.data(), count);
  }
  const D* signal() { return signal(rows * time); }
  template <class S = T>
  on_gpu_t<S>* out(int64_t count) {
    return context().template array<on_gpu_t<S>>(count);
  }
  D* out() { return out(rows * time); }
  DA* state(int64_t size) { return gpu.out(random.signal<A>(rows * size).data(), rows * size, true); }

  NormalisedFilters<D> filters(int64_t order, int64_t count = 1, bool conjugate = false) {
    const FilterBank<T> bank(random, order, order, count, 0.95);
    std::vector<A> a;
    for (int64_t f = 0; f < count; ++f) {
      a.push_back(1);
      a.insert(a.end(), bank.a.begin() + f * order, bank.a.begin() + (f + 1) * order);
    }
    const int64_t taps = order + 1;
    return cuda::normalise<D>(context(), {.b = gpu.in(bank.b.data(), count * taps),
                                          .a = gpu.in(a.data(), count * taps),
                                          .wide_b = true,
                                          .wide_a = true,
                                          .order_b = order,
                                          .order_a = order,
                                          .conjugate = conjugate,
                                          .b_stride = count > 1 ? taps : 0,
                                          .a_stride = count > 1 ? taps : 0,
                                          .count = count});
  }
};

// How the samples are spread over rows, and over how many processors.
struct Spread {
  const char* name;
  int64_t row;  // samples; 0: all of them
  int processors = kH100;
};
constexpr Spread kOneRow{"one row", 0}, kShortRows{"rows of 32", 32}, kWholeRows{"rows of a block", 1 << 13, 1};

template <class T, class F>
void count(const std::string& name, const Spread& spread, F&& run) {
  const std::string title = name + ", " + spread.name;
  if ((title + ", " + kName<T>).find(chosen) == std::string::npos) return;
  processors = spread.processors;
  const int64_t time = spread.row == 0 ? all_samples : std::min(spread.row, all_samples);
  ptxrun_label((title + ", " + kName<T> + " samples=" + std::to_string(all_samples)).c_str());
  Problem<T> problem{all_samples / time, time, {}};
  run(problem);
  ++cases;
}

template <class T>
void direct_forms() {
  for (const int64_t order : {1, 2, 8}) {
    for (const Spread& spread : {kOneRow, kShortRows, kWholeRows}) {
      if (order > 2 && spread.row != 0) continue;
      const std::string name = "order " + std::to_string(order);
      count<T>(name + " forward", spread, [&](Problem<T>& p) {
        cuda::lfilter_forward<on_gpu_t<T>>(p.context(), p.filters(order), {.rows = p.rows, .time = p.time, .x = p.signal(), .x_stride = p.time, .y = p.out(), .y_stride = p.time});
      });
      count<T>(name + " backward with sums", spread, [&](Problem<T>& p) {
        using A = acc_t<T>;
        const auto filters = p.filters(order, 1, true);
        cuda::lfilter_backward<on_gpu_t<T>>(p.context(), filters,
                               {.rows = p.rows, .time = p.time, .grad_y = p.signal(), .grad_y_stride = p.time, .grad_x = p.out(), .grad_x_stride = p.time,
                                .x = p.signal(), .x_stride = p.time, .y = p.signal(), .y_stride = p.time},
                               {.grad_b = p.template out<A>(p.rows * (order + 1)), .grad_a = p.template out<A>(p.rows * (order + 1)), .grad_zi = p.template out<A>(p.rows * order)});
      });
    }
  }
}

template <class T>
void cascades() {
  for (const bool adjoint : {false, true}) {
    for (const Spread& spread : {kOneRow, kShortRows, kWholeRows}) {
      count<T>(adjoint ? "four sections backward" : "four sections forward", spread, [&](Problem<T>& p) {
        cuda::sosfilt<on_gpu_t<T>>(p.context(), p.filters(2, 4, adjoint),
                      {.sections = {.count = 4}, .rows = p.rows, .time = p.time, .x = p.signal(), .x_stride = p.time, .y = p.out(), .y_stride = p.time}, adjoint);
      });
    }
  }
}

template <class T>
void cascade_gradients() {
  constexpr int64_t K = 4;
  for (const Spread& spread : {kOneRow, kShortRows, kWholeRows}) {
    count<T>("four sections backward with sums", spread, [&](Problem<T>& p) {
      using A = acc_t<T>;
      const auto conjugated = p.filters(2, K, true);
      cuda::sosfilt_backward<on_gpu_t<T>>(p.context(), kComplex<T> ? p.filters(2, K) : conjugated, conjugated,
                                          {.sections = {.count = K}, .rows = p.rows, .time = p.time, .x = p.signal(), .x_stride = p.time, .y = p.out(), .y_stride = p.time},
                                          {p.signal(), p.time, nullptr, p.template out<A>(p.rows * K * 6)});
    });
  }
}

template <class T>
void varying() {
  for (const int64_t order : {1, 2, 4}) {
    for (const Lags& lags : {Lags{0, false}, {-1, false}, {0, true}, {1, true}}) {
      const std::string name = "varying all-pole of order " + std::to_string(order) + (lags.at_input() ? " at the input" : "") + (lags.reverse ? ", reversed" : "");
      count<T>(name, kOneRow, [&](Problem<T>& p) {
        cuda::lpv_allpole<on_gpu_t<T>>(p.context(),
                          {.lags = lags, .order = order, .a = p.signal(p.rows * p.time * order, 0.2 / static_cast<double>(order)), .a_stride = p.time * order, .x = p.signal(),
                           .x_stride = p.time, .y = p.out(), .y_stride = p.time, .state = p.state(order), .rows = p.rows},
                          p.time);
      });
    }
  }
  count<T>("past outputs of order 4", kShortRows, [](Problem<T>& p) {
    cuda::lpv_allpole_past<on_gpu_t<T>>(p.context(), {.reverse = false, .rows = p.rows, .time = p.time, .order = 4, .a = p.signal(p.rows * p.time * 4), .a_stride = p.time * 4, .lambda = p.signal(),
                                         .zi = p.state(4), .grad_a = p.out(p.rows * p.time * 4), .grad_zi = p.template out<acc_t<T>>(p.rows * 4)});
  });
  constexpr int64_t kTaps = 8;
  count<T>("varying FIR of 8 taps", kOneRow, [](Problem<T>& p) {
    cuda::lpv_fir<on_gpu_t<T>>(p.context(), {{0, false}, kTaps, p.signal(p.rows * p.time * kTaps), p.time * kTaps, p.signal(), p.time, p.out(), p.time}, p.rows, p.time);
  });
  count<T>("products of 8 lags", kOneRow, [](Problem<T>& p) {
    cuda::lag_product<on_gpu_t<T>>(p.context(), {.lags = {0, false}, .taps = kTaps, .g = p.signal(), .g_stride = p.time, .x = p.signal(), .x_stride = p.time, .c = p.out(p.rows * p.time * kTaps)},
                      p.rows, p.time);
  });
  count<T>("correlation of 8 lags", kOneRow, [](Problem<T>& p) {
    cuda::lag_correlation<on_gpu_t<T>>(p.context(), {kTaps, p.signal(), p.time, p.signal(), p.time, p.template out<acc_t<T>>(p.rows * kTaps)}, p.rows, p.time);
  });
  count<T>("FIR of 16 taps", kOneRow, [](Problem<T>& p) {
    const auto b = p.template signal<acc_t<T>>(16);
    const auto filters = cuda::normalise<on_gpu_t<T>>(p.context(), {.b = b, .wide_b = true, .order_b = 15, .count = 1});
    cuda::fir(p.context(), filters, false, p.rows, p.time, p.signal(), p.time, p.out());
  });
}

template <class C>
SectionNumbers<C> of_one_tensor(C* sections) {
  return {sections, sections + 3};
}

// With the gradient of the sections backward: the filter runs once more.
template <class T>
void varying_sections() {
  using D = on_gpu_t<T>;
  using A = acc_t<T>;
  constexpr int64_t K = 4;
  for (const int64_t hop : {1, 64}) {
    const auto sections = [=](Problem<T>& p) -> VaryingSections<D> {
      const Frames frames{.count = p.time / hop + 1, .hop = hop, .linear = hop > 1};
      std::vector<A> sos;
      for (int64_t i = 0; i < frames.count * K; ++i) {
        const auto a = denominator<A>(p.random, 2, 0.9);
        sos.insert(sos.end(), {A(0.5), A(0.3), A(0.2), A(1), a[0], a[1]});
      }
      const auto count = static_cast<int64_t>(sos.size());
      const bool wide = hop > 1;
      std::vector<T> narrow;
      for (const A& c : sos) narrow.push_back(static_cast<T>(c));
      return {.count = K, .frames = frames, .rows_per_set = p.rows, .given = of_one_tensor(wide ? nullptr : p.gpu.in(narrow.data(), count)), .wide = of_one_tensor(wide ? p.gpu.in(sos.data(), count) : nullptr)};
    };
    const std::string name = hop == 1 ? "four varying sections" : "four varying sections in frames of 64";
    count<T>(name + ", forward", kOneRow, [&](Problem<T>& p) {
      cuda::lpv_sosfilt_forward<D>(p.context(), {.sections = sections(p), .rows = p.rows, .x = p.signal(), .x_stride = p.time, .y = p.out(), .y_stride = p.time, .state = p.state(2 * K)},
                                   p.time);
    });
    count<T>(name + ", backward", kOneRow, [&](Problem<T>& p) {
      const auto s = sections(p);
      const int64_t numbers = s.set_stride();
      cuda::lpv_sosfilt_backward<D>(p.context(),
                                    {.sections = s, .rows = p.rows, .grad_y = p.signal(), .grad_y_stride = p.time, .grad_x = p.out(), .grad_x_stride = p.time, .state = p.state(2 * K),
                                     .x = p.signal(), .x_stride = p.time, .y = p.signal(), .y_stride = p.time,
                                     .grad = of_one_tensor(hop == 1 ? p.out(numbers) : nullptr), .wide_grad = of_one_tensor(hop > 1 ? p.template out<A>(numbers) : nullptr)},
                                    p.state(2 * K), p.time);
    });
  }
}

template <class T>
void with_many_states() {
  for (const bool varies : {false, true}) {
    constexpr int64_t S = 4;
    count<T>(varies ? "state space of 4 states, varying" : "state space of 4 states", kOneRow, [&](Problem<T>& p) {
      const int64_t times = varies ? p.time : 1;
      const auto matrices = [&](int64_t size) -> Matrices<on_gpu_t<T>> { return {p.signal(times * size, 0.2), 0, varies ? size : 0}; };
      cuda::state_space<on_gpu_t<T>>(p.context(), {false, S, 1, 1, matrices(S * S), matrices(S), matrices(S), matrices(1), p.signal(), p.time, p.out(), p.time, p.state(S)}, p.rows, p.time);
    });
    constexpr int64_t N = 4;
    const auto stages = [=](Problem<T>& p) -> LatticeStages<on_gpu_t<T>> {
      if (varies) return {N, p.signal(p.time * N, 0.9), nullptr, 0};
      return {N, nullptr, p.template signal<acc_t<T>>(N, 0.9), 0};
    };
    const std::string name = varies ? "lattice of order 4, varying" : "lattice of order 4";
    count<T>(name, kOneRow, [&](Problem<T>& p) {
      cuda::lattice_forward<on_gpu_t<T>>(p.context(), {stages(p), false, {p.signal(), p.time, 1}, {p.out(), p.time, 1}, p.state(N)}, p.rows, p.time);
    });
    count<T>(name + ", backward", kOneRow, [&](Problem<T>& p) {
      using A = acc_t<T>;
      cuda::lattice_backward<on_gpu_t<T>>(p.context(), {stages(p), {p.signal(), p.time, 1}, {p.signal(), p.time, 1}, {p.out(), p.time, 1}, p.state(N), p.state(N),
                                           varies ? p.out(p.rows * p.time * N) : nullptr, varies ? nullptr : p.template out<A>(p.rows * N)},
                             p.rows, p.time);
    });
  }
}

template <class T>
void sparse_ones() {
  const auto filter = [](const std::string& name, const std::vector<int64_t>& delays, bool feedback) {
    count<T>(name, kOneRow, [&](Problem<T>& p) {
      const auto taps = static_cast<int64_t>(delays.size());
      SparseOnDevice<on_gpu_t<T>> s;
      s.taps = {.count = taps, .d = p.gpu.in(delays.data(), taps), .constant = p.template signal<acc_t<T>>(taps, 0.5)};
      s.feedback = feedback;
      s.transposed = false;
      s.past = 0;
      s.x = p.signal();
      s.y = p.out();
      s.x_stride = s.y_stride = s.time = p.time;
      s.rows = p.rows;
      cuda::sparse(p.context(), s);
    });
  };
  filter("comb of delay 100", {100}, true);
  filter("feedback of 2 taps", {500, 700}, true);
  filter("sparse FIR of 2 taps", {500, 700}, false);
  for (const bool sums : {false, true}) {
    count<T>(sums ? "sums of products of 2 taps" : "products of 2 taps", kOneRow, [&](Problem<T>& p) {
      const int64_t delays[] = {500, 700};
      cuda::sparse_product<on_gpu_t<T>>(p.context(), {.taps = {.count = 2, .d = p.gpu.in(delays, 2)}, .past = 0, .g = p.signal(), .g_stride = p.time, .x = p.signal(), .x_stride = p.time,
                                         .p = sums ? nullptr : p.out(p.rows * p.time * 2), .p_sums = sums ? p.template out<acc_t<T>>(p.rows * 2) : nullptr},
                           p.rows, p.time);
    });
  }
}

template <class T>
void splines() {
  using D = on_gpu_t<T>;
  for (const bool transposed : {false, true}) {
    count<T>(transposed ? "cubic spline, transposed" : "cubic spline", kOneRow, [&](Problem<T>& p) {
      const int64_t knots = p.time / 4, points = p.time;
      std::vector<double> t;
      for (int64_t i = 0; i < points; ++i) t.push_back(static_cast<double>(i * (knots - 1)) / static_cast<double>(points) + 0.01);
      SplineParams<D> s{.basis = kCubicSpline, .odd = false, .shift = 0, .whole_sample = true, .knots = knots, .t = t.data(), .t_stride = points};
      std::multimap<int64_t, int64_t> readers;
      for (int64_t i = 0; i < 4 * points; ++i) readers.insert({host::mirrored(host::spline_point(s, 0, i / 4).first + i % 4, knots, true), i});
      std::vector<int64_t> read, begin;
      for (int64_t k = 0; k <= knots; ++k) begin.push_back(std::distance(readers.begin(), readers.lower_bound(k)));
      for (const auto& [k, i] : readers) read.push_back(i);
      s.t = p.gpu.in(t.data(), points);
      s.x = p.signal(transposed ? points : knots);
      s.x_stride = transposed ? points : knots;
      s.y = p.out(transposed ? knots : points);
      if (transposed) {
        cuda::spline_transposed(p.context(), s, {p.gpu.in(read.data(), 4 * points), p.gpu.in(begin.data(), knots + 1), 1}, 1, points);
      } else {
        cuda::spline(p.context(), s, 1, points);
      }
    });
    count<T>(transposed ? "upsampling by 4, transposed" : "upsampling by 4", kOneRow, [&](Problem<T>& p) {
      const int64_t knots = p.time / 4, samples = (knots - 1) * 4 + 1;
      const int64_t from = transposed ? samples : knots, to = transposed ? knots : samples;
      cuda::upsample<D>(p.context(), {4, kCubicSpline, true, knots, p.signal(from), from, p.out(to)}, transposed, 1);
    });
  }
}

template <class T>
void modal() {
  constexpr int64_t kModes = 64;
  const auto poles = [](Problem<T>& p) -> ModalPoles {
    std::vector<double> pairs;
    for (int64_t k = 0; k < kModes; ++k) {
      const auto pole = std::polar(0.999, p.random.uniform(0, 3.14));
      pairs.insert(pairs.end(), {pole.real(), pole.imag()});
    }
    return {kModes, 1, p.gpu.in(pairs.data(), 2 * kModes), 0};
  };
  count<T>("bank of 64 modes", kOneRow, [&](Problem<T>& p) {
    cuda::modal_bank(p.context(),
                     ModalBankParams<T>{.poles = poles(p), .gains = p.template signal<double>(2 * kModes), .gains_stride = 0, .reverse = false, .x = p.signal(), .x_stride = p.time,
                                        .y = p.out(), .y_stride = p.time, .state = nullptr},
                     p.rows, p.time);
  });
  count<T>("correlation with 64 modes", kOneRow, [&](Problem<T>& p) {
    cuda::modal_correlation(p.context(),
                            ModalCorrelationParams<T>{.poles = poles(p), .g = p.signal(), .g_stride = p.time, .x = p.signal(), .x_stride = p.time, .state = nullptr,
                                                      .c = p.template out<double>(2 * kModes)},
                            p.rows, p.time);
  });
}

template <class T>
void all() {
  direct_forms<T>();
  cascades<T>();
  cascade_gradients<T>();
  varying<T>();
  varying_sections<T>();
  with_many_states<T>();
  sparse_ones<T>();
  splines<T>();
  if constexpr (!kComplex<T>) modal<T>();
}

}  // namespace
}  // namespace polezero::test

int main(int argc, char** argv) {
  using namespace polezero::test;
  all_samples = int64_t{1} << (argc > 1 ? std::atoi(argv[1]) : 14);
  chosen = argc > 2 ? argv[2] : "";
  ptxrun_set("resident", 1);
  ptxrun_set("order", 0);
  ptxrun_set("seed", 0);
  ptxrun_set("slice", 1'000'000'000);
  all<float>();
  all<double>();
  all<std::complex<float>>();
  all<std::complex<double>>();
  std::printf("%d cases, %d findings\n", cases, ptxrun_findings(nullptr));
  return ptxrun_findings(nullptr) > 0 || cases == 0;
}
