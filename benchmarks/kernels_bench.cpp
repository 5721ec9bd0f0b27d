// The float32 and float64 kernels alone, one thread, beside memcpy and, where it is installed,
// Intel IPP. No Torch. The table shows the fastest repetition of each, its time a sample and its
// ratio to memcpy of as many samples of the same type; --benchmark_out=FILE has every repetition.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/flush_denormals.h"
#include "kernels/cpu/lfilter.h"

#ifdef POLEZERO_BENCHMARK_IPP
#include <ippcore.h>
#include <ipps.h>
#endif

namespace {

struct Shape {
  int64_t rows;
  int64_t samples;
  int64_t size() const { return rows * samples; }
  std::string name() const { return std::to_string(rows) + " x " + std::to_string(samples); }
};

// Signals live as long as the process, so that no timing meets a page for the first time.
enum Role { kX, kY, kGradY, kGradX, kRoles };

template <class scalar_t>
scalar_t* signal(Role role, int64_t size) {
  struct Free {
    void operator()(scalar_t* p) const { std::free(p); }
  };
  static std::unique_ptr<scalar_t, Free> signals[kRoles];
  static int64_t sizes[kRoles] = {};
  if (sizes[role] < size) {
    const size_t bytes = (size * sizeof(scalar_t) + 63) / 64 * 64;
    signals[role].reset(static_cast<scalar_t*>(std::aligned_alloc(64, bytes)));
    sizes[role] = size;
    std::mt19937 generator(role);
    std::normal_distribution<scalar_t> normal;
    constexpr int64_t kPeriod = 1 << 18;
    scalar_t* s = signals[role].get();
    for (int64_t n = 0; n < size; ++n) s[n] = n < kPeriod ? normal(generator) : s[n - kPeriod];
  }
  return signals[role].get();
}

// Dense coefficients b_0..b_N and a_0..a_N, a_0 = 1, of a stable filter.
struct Coefficients {
  std::vector<double> b, a;
};

std::vector<double> polynomial(const std::vector<std::complex<double>>& roots) {
  std::vector<std::complex<double>> p = {1};
  for (const auto root : roots) {
    p.push_back(0);
    for (size_t i = p.size() - 1; i > 0; --i) p[i] -= root * p[i - 1];
  }
  std::vector<double> real;
  for (const auto c : p) real.push_back(c.real());
  return real;
}

Coefficients coefficients(int64_t order) {
  std::vector<std::complex<double>> poles;
  if (order % 2 == 1) poles.push_back(0.8);
  const int64_t pairs = order / 2;
  for (int64_t i = 0; i < pairs; ++i) {
    const double place = (static_cast<double>(i) + 0.5) / static_cast<double>(pairs);
    const auto pole = std::polar(0.9 - 0.3 * place, 0.15 + 2.8 * place);
    poles.insert(poles.end(), {pole, std::conj(pole)});
  }
  std::vector<std::complex<double>> zeros;
  for (const auto pole : poles) zeros.push_back(-0.9 * pole);
  return {polynomial(zeros), polynomial(poles)};
}

template <class scalar_t>
polezero::Filters<scalar_t> filters_of(const Coefficients& c) {
  const auto order = static_cast<int64_t>(c.b.size()) - 1;
  return {order, order, order, 0, c.b.data(), c.a.data() + 1};
}

template <class scalar_t>
void copy(benchmark::State& state, Shape shape) {
  const scalar_t* x = signal<scalar_t>(kX, shape.size());
  scalar_t* y = signal<scalar_t>(kY, shape.size());
  for (auto _ : state) {
    std::memcpy(y, x, shape.size() * sizeof(scalar_t));
    benchmark::ClobberMemory();
  }
}

template <class scalar_t>
void forward(benchmark::State& state, Shape shape, int64_t order) {
  const Coefficients c = coefficients(order);
  std::vector<double> filter_state(shape.rows * order);
  polezero::LfilterForwardParams<scalar_t> p{};
  p.filters = filters_of<scalar_t>(c);
  p.x = signal<scalar_t>(kX, shape.size());
  p.y = signal<scalar_t>(kY, shape.size());
  p.x_stride = p.y_stride = shape.samples;
  p.state = filter_state.data();
  p.rows = shape.rows;
  for (auto _ : state) {
    std::fill(filter_state.begin(), filter_state.end(), 0.0);
    polezero::cpu::lfilter_kernels<scalar_t>().forward(p, {0, shape.rows, 0, shape.samples});
    benchmark::ClobberMemory();
  }
}

// The whole one-pass backward: grad_x, and the sums that grad_b and grad_a are made of.
template <class scalar_t>
void backward(benchmark::State& state, Shape shape, int64_t order) {
  const Coefficients c = coefficients(order);
  std::vector<double> filter_state(shape.rows * order), sum_b(shape.rows * (order + 1)),
      sum_a(shape.rows * (order + 1));
  polezero::LfilterBackwardParams<scalar_t> p{};
  p.filters = filters_of<scalar_t>(c);
  p.grad_y = signal<scalar_t>(kGradY, shape.size());
  p.grad_x = signal<scalar_t>(kGradX, shape.size());
  p.x = signal<scalar_t>(kX, shape.size());
  p.y = signal<scalar_t>(kY, shape.size());
  p.grad_y_stride = p.grad_x_stride = p.x_stride = p.y_stride = shape.samples;
  p.state = filter_state.data();
  p.rows = shape.rows;
  p.sum_b = sum_b.data();
  p.sum_a = sum_a.data();
  for (auto _ : state) {
    for (auto* v : {&filter_state, &sum_b, &sum_a}) std::fill(v->begin(), v->end(), 0.0);
    polezero::cpu::lfilter_kernels<scalar_t>().backward(p, {0, shape.rows, 0, shape.samples});
    benchmark::ClobberMemory();
  }
}

#ifdef POLEZERO_BENCHMARK_IPP
// One IPP filter on one row; the state goes on from call to call, which costs it nothing.
template <class ipp_state, class tap_t>
void ipp(benchmark::State& state, Shape shape, const std::vector<double>& taps, int count,
         IppStatus (*size_of)(int, int*),
         IppStatus (*init)(ipp_state**, const tap_t*, int, const tap_t*, Ipp8u*),
         IppStatus (*run)(const Ipp32f*, Ipp32f*, int, ipp_state*)) {
  int bytes = 0;
  size_of(count, &bytes);
  std::vector<Ipp8u> buffer(bytes + 64);
  const std::vector<tap_t> own_taps(taps.begin(), taps.end());
  ipp_state* filter = nullptr;
  if (init(&filter, own_taps.data(), count, nullptr, buffer.data()) != ippStsNoErr) {
    state.SkipWithError("IPP refused the filter");
    return;
  }
  const float* x = signal<float>(kX, shape.size());
  float* y = signal<float>(kY, shape.size());
  for (auto _ : state) {
    run(x, y, static_cast<int>(shape.size()), filter);
    benchmark::ClobberMemory();
  }
}

std::vector<double> ipp_taps(int64_t order) {
  const Coefficients c = coefficients(order);
  std::vector<double> taps = c.b;
  taps.insert(taps.end(), c.a.begin(), c.a.end());
  return taps;
}
#endif

// Names are "GROUP, WHAT"; the memcpy of a group is what its others are compared with.
void add(const std::string& group, const std::string& what, int64_t size,
         std::function<void(benchmark::State&)> body) {
  benchmark::RegisterBenchmark((group + ", " + what).c_str(),
                               [size, body](benchmark::State& state) {
                                 body(state);
                                 state.SetItemsProcessed(state.iterations() * size);
                               })
      ->MinTime(0.05)
      ->Repetitions(10)
      ->UseRealTime();
}

template <class scalar_t>
std::string add_copy(const char* type, Shape shape) {
  const std::string group = std::string(type) + ", " + shape.name();
  add(group, "memcpy", shape.size(), [=](auto& s) { copy<scalar_t>(s, shape); });
  return group;
}

void add_all() {
  const Shape one{1, 1 << 20};
  for (const Shape shape : {one, Shape{64, 1 << 20}, Shape{1024, 4096}, Shape{16384, 256}}) {
    const std::string group = add_copy<float>("float32", shape);
    add(group, "forward", shape.size(), [=](auto& s) { forward<float>(s, shape, 2); });
    if (shape.size() > (1 << 24)) continue;
    add(group, "backward", shape.size(), [=](auto& s) { backward<float>(s, shape, 2); });
    if (shape.rows > 1) continue;
    for (const int64_t order : {1, 4, 8, 16, 32}) {
      add(group, "forward, order " + std::to_string(order), shape.size(),
          [=](auto& s) { forward<float>(s, shape, order); });
    }
#ifdef POLEZERO_BENCHMARK_IPP
    for (const int order : {2, 4, 8, 16}) {
      add(group, "IPP IIR_32f, order " + std::to_string(order), shape.size(), [=](auto& s) {
        ipp<IppsIIRState_32f, Ipp32f>(s, shape, ipp_taps(order), order, ippsIIRGetStateSize_32f,
                                      ippsIIRInit_32f, ippsIIR_32f);
      });
    }
    add(group, "IPP IIR_BiQuad_32f", shape.size(), [=](auto& s) {
      ipp<IppsIIRState_32f, Ipp32f>(s, shape, ipp_taps(2), 1, ippsIIRGetStateSize_BiQuad_32f,
                                    ippsIIRInit_BiQuad_32f, ippsIIR_32f);
    });
    add(group, "IPP IIR64f_BiQuad_32f", shape.size(), [=](auto& s) {
      ipp<IppsIIRState64f_32f, Ipp64f>(s, shape, ipp_taps(2), 1, ippsIIRGetStateSize64f_BiQuad_32f,
                                       ippsIIRInit64f_BiQuad_32f, ippsIIR64f_32f);
    });
#endif
  }
  const std::string group = add_copy<double>("float64", one);
  add(group, "forward", one.size(), [=](auto& s) { forward<double>(s, one, 2); });
  add(group, "backward", one.size(), [=](auto& s) { backward<double>(s, one, 2); });
  add(group, "forward, order 8", one.size(), [=](auto& s) { forward<double>(s, one, 8); });
}

// Prints the best repetition of each benchmark, in the order in which they were added.
class BestOfRepetitions : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      Best& best = best_[run.family_index];
      best.name = run.run_name.function_name;
      best.ns_per_sample = std::min(best.ns_per_sample, 1e9 / run.counters.at("items_per_second"));
    }
  }

  void Finalize() override {
    std::printf("%-50s %10s %8s\n", "", "ns/sample", "/memcpy");
    double copy_ns = 0;
    for (const auto& [_, best] : best_) {
      if (best.name.ends_with("memcpy")) copy_ns = best.ns_per_sample;
      std::printf("%-50s %10.3f", best.name.c_str(), best.ns_per_sample);
      copy_ns > 0 ? std::printf(" %8.2f\n", best.ns_per_sample / copy_ns) : std::printf("\n");
    }
  }

 private:
  struct Best {
    std::string name;
    double ns_per_sample = std::numeric_limits<double>::infinity();
  };
  std::map<int64_t, Best> best_;
};

}  // namespace

int main(int argc, char** argv) {
  // Repetitions of all benchmarks are shuffled, so that a busy second spoils no single one.
  std::string interleave = "--benchmark_enable_random_interleaving=true";
  std::vector<char*> arguments(argv, argv + argc);
  arguments.insert(arguments.begin() + 1, interleave.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 1;
  std::printf("polezero on %s", polezero::name_of(polezero::cpu_capability()));
  benchmark::AddCustomContext("polezero_capability", polezero::name_of(polezero::cpu_capability()));
#ifdef POLEZERO_BENCHMARK_IPP
  ippInit();
  std::printf(", IPP: %s %s", ippsGetLibVersion()->Name, ippsGetLibVersion()->Version);
#endif
  std::printf("\n");
  add_all();
  BestOfRepetitions reporter;
  polezero::cpu::FlushDenormals flush;  // as the launchers do
  benchmark::RunSpecifiedBenchmarks(&reporter);
}
