// Kernels at the size of a benchmark, for PTXRUN_STATS and ptxrun-report: what they ask of memory and
// of each pipe. `polezero_ptxrun_stats [log2 of the samples]`.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "device.h"
#include "support.h"

namespace polezero::test {
namespace {

constexpr int kH100 = 132;

void label(const std::string& name, int64_t samples) {
  ptxrun_label((name + " samples=" + std::to_string(samples)).c_str());
  std::printf("%s\n", name.c_str());
  std::fflush(stdout);
}

template <class T>
NormalisedFilters<cuda::on_device_t<T>> filter(Gpu& gpu, Random& random, int64_t order, int64_t count, bool conjugate, double radius = 0.95) {
  const FilterBank<T> bank(random, order, order, count, radius);
  std::vector<acc_t<T>> a;
  for (int64_t f = 0; f < count; ++f) {
    a.push_back(1);
    a.insert(a.end(), bank.a.begin() + f * order, bank.a.begin() + (f + 1) * order);
  }
  return cuda::normalise<cuda::on_device_t<T>>(gpu.context(), {.b = gpu.in(bank.b.data(), count * (order + 1)), .a = gpu.in(a.data(), count * (order + 1)), .wide_b = true, .wide_a = true,
                                                              .order_b = order, .order_a = order, .conjugate = conjugate, .b_stride = count > 1 ? order + 1 : 0,
                                                              .a_stride = count > 1 ? order + 1 : 0, .count = count});
}

template <class T>
void forward(const std::string& name, int64_t order, int64_t rows, int64_t time) {
  using D = cuda::on_device_t<T>;
  Random random(1);
  const auto x = random.signal<T>(rows * time);
  std::vector<T> y(rows * time);
  Gpu gpu;
  label(name, rows * time);
  const auto f = filter<T>(gpu, random, order, 1, false);
  cuda::lfilter_forward<D>(gpu.context(), f, {.rows = rows, .time = time, .x = gpu.in(x.data(), rows * time), .x_stride = time, .y = gpu.out(y.data(), rows * time), .y_stride = time});
}

template <class T>
void backward(const std::string& name, int64_t order, int64_t rows, int64_t time) {
  using D = cuda::on_device_t<T>;
  using A = acc_t<T>;
  Random random(1);
  const auto x = random.signal<T>(rows * time), y = random.signal<T>(rows * time), g = random.signal<T>(rows * time);
  std::vector<T> grad_x(rows * time);
  std::vector<A> grad_b(rows * (order + 1)), grad_a(rows * (order + 1));
  Gpu gpu;
  label(name, rows * time);
  const auto f = filter<T>(gpu, random, order, 1, true);
  cuda::lfilter_backward<D>(gpu.context(), f,
                            {.rows = rows, .time = time, .grad_y = gpu.in(g.data(), rows * time), .grad_y_stride = time, .grad_x = gpu.out(grad_x.data(), rows * time), .grad_x_stride = time,
                             .x = gpu.in(x.data(), rows * time), .x_stride = time, .y = gpu.in(y.data(), rows * time), .y_stride = time},
                            {.grad_b = gpu.out(grad_b.data(), rows * (order + 1)), .grad_a = gpu.out(grad_a.data(), rows * (order + 1))});
}

template <class T>
void cascade(const std::string& name, int64_t K, int64_t rows, int64_t time) {
  using D = cuda::on_device_t<T>;
  Random random(1);
  const auto x = random.signal<T>(rows * time);
  std::vector<T> y(rows * time);
  Gpu gpu;
  label(name, rows * time);
  const auto f = filter<T>(gpu, random, 2, K, false);
  cuda::sosfilt<D>(gpu.context(), f, {.sections = {.count = K}, .rows = rows, .time = time, .x = gpu.in(x.data(), rows * time), .x_stride = time, .y = gpu.out(y.data(), rows * time), .y_stride = time}, false);
}

template <class T>
void varying(const std::string& name, int64_t order, int64_t rows, int64_t time) {
  using D = cuda::on_device_t<T>;
  Random random(1);
  const auto x = random.signal<T>(rows * time);
  auto a = random.signal<T>(rows * time * order);
  for (T& v : a) v *= T(0.2 / static_cast<double>(order));
  std::vector<T> y(rows * time);
  std::vector<acc_t<T>> state(rows * order);
  Gpu gpu;
  label(name, rows * time);
  cuda::lpv_allpole<D>(gpu.context(), {.lags = {0, false}, .order = order, .a = gpu.in(a.data(), rows * time * order), .a_stride = time * order, .x = gpu.in(x.data(), rows * time),
                                      .x_stride = time, .y = gpu.out(y.data(), rows * time), .y_stride = time, .state = gpu.out(state.data(), rows * order, true), .rows = rows},
                       time);
}

void comb(const std::string& name, int64_t delay, int64_t rows, int64_t time) {
  Random random(1);
  const auto x = random.signal<float>(rows * time);
  std::vector<float> y(rows * time);
  const double c = 0.7;
  Gpu gpu;
  label(name, rows * time);
  SparseOnDevice<float> p;
  p.taps = {.count = 1, .d = gpu.in(&delay, 1), .constant = gpu.in(&c, 1)};
  p.feedback = true;
  p.transposed = false;
  p.past = 0;
  p.x = gpu.in(x.data(), rows * time);
  p.x_stride = time;
  p.y = gpu.out(y.data(), rows * time);
  p.y_stride = time;
  p.rows = rows;
  p.time = time;
  cuda::sparse<float>(gpu.context(), p);
}

void modal(const std::string& name, int64_t modes, int64_t rows, int64_t time) {
  Random random(1);
  const auto x = random.signal<float>(rows * time);
  std::vector<float> y(rows * time);
  std::vector<double> poles, gains = random.signal<double>(2 * modes);
  for (int64_t k = 0; k < modes; ++k) {
    const auto p = std::polar(0.999, random.uniform(0, 3.14));
    poles.push_back(p.real());
    poles.push_back(p.imag());
  }
  Gpu gpu;
  label(name, rows * time);
  cuda::modal_bank(gpu.context(),
                   ModalBankParams<float>{.poles = {modes, 1, gpu.in(poles.data(), 2 * modes), 0}, .gains = gpu.in(gains.data(), 2 * modes), .gains_stride = 0, .reverse = false,
                                          .x = gpu.in(x.data(), rows * time), .x_stride = time, .y = gpu.out(y.data(), rows * time), .y_stride = time, .state = nullptr},
                   rows, time);
}

}  // namespace
}  // namespace polezero::test

int main(int argc, char** argv) {
  using namespace polezero::test;
  const int64_t T = int64_t{1} << (argc > 1 ? std::atoi(argv[1]) : 20);
  const std::string size = " B=1 T=2^" + std::string(argc > 1 ? argv[1] : "20");
  processors = kH100;
  ptxrun_set("resident", 64);
  forward<float>("biquad forward f32" + size, 2, 1, T);
  forward<double>("biquad forward f64" + size, 2, 1, T);
  forward<std::complex<float>>("biquad forward c64" + size, 2, 1, T);
  forward<float>("biquad forward f32 B=512 T/512", 2, 512, T / 512);
  backward<float>("biquad backward f32" + size, 2, 1, T);
  backward<float>("biquad backward f32 B=512 T/512", 2, 512, T / 512);
  cascade<float>("sosfilt K=4 f32" + size, 4, 1, T);
  forward<float>("order 8 forward f32" + size, 8, 1, T);
  backward<float>("order 8 backward f32" + size, 8, 1, T);
  varying<float>("lpv order 2 f32" + size, 2, 1, T);
  comb("comb D=100 f32" + size, 100, 1, T);
  modal("modal 64 f32" + size, 64, 1, T);
  std::printf("%d findings\n", ptxrun_findings(nullptr));
  return ptxrun_findings(nullptr) > 0;
}
