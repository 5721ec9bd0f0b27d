// Second-order sections whose coefficients change with time, over a tile of samples: of one row (V
// a scalar) or of several side by side (V a vector). csrc/params/lpv_sosfilt.h has the equations.
//
// Sources are where a section's coefficients of a sample come from: sections(n, k) are those of
// sample n of the tile, divided by a_0, and sections.inverse(n, k) is 1 / a_0. Sinks are where the
// gradient of the coefficients goes.
#pragma once

#include "kernels/cpu/tile/lanes.h"
#include "math/section.h"
#include "params/lpv_sosfilt.h"

POLEZERO_ISA_BEGIN

// The order in which a source of all six keeps them: as they are given, with 1 / a_0 for a_0.
inline constexpr int kSectionTaps = 6, kInverse = 3;

// A row of each lane: sections [samples, K], `stride` vectors from one to the next.
template <class V>
struct SectionLanes {
  Lane<V>*b = nullptr, *a = nullptr;
  int64_t stride = kSectionTaps;

  // Of section i: in the order of one tensor.
  POLEZERO_INLINE V& operator()(int64_t i, int j) const {
    return (j < 3 ? b[i * stride + j] : a[i * stride + j - 3]).v;
  }
};

template <class V, class A>
POLEZERO_INLINE V in_all_lanes(A u) {
  if constexpr (std::is_same_v<V, A>) {
    return u;
  } else {
    return broadcast<double>(u);
  }
}

// Of every sample, each row's own.
template <class V>
struct SectionTable {
  SectionLanes<V> taps;
  int64_t K;

  POLEZERO_INLINE Section<V> operator()(int64_t n, int64_t k) const {
    const int64_t i = n * K + k;
    return {taps(i, 0), taps(i, 1), taps(i, 2), taps(i, 4), taps(i, 5)};
  }
  POLEZERO_INLINE V inverse(int64_t n, int64_t k) const { return taps(n * K + k, kInverse); }
};

// Of every sample, numbers that all rows share: [samples, K, stride].
template <class V, class A>
struct SharedSections {
  // A section is written, and found, as whole vectors.
  static constexpr int64_t kStride = is_complex<V> ? kSectionTaps : 8;
  const A* taps;
  int64_t K;

  const A* at(int64_t n, int64_t k) const { return taps + (n * K + k) * kStride; }
  POLEZERO_INLINE Section<V> operator()(int64_t n, int64_t k) const {
    const A* c = at(n, k);
    return {in_all_lanes<V>(c[0]), in_all_lanes<V>(c[1]), in_all_lanes<V>(c[2]),
            in_all_lanes<V>(c[4]), in_all_lanes<V>(c[5])};
  }
};

// Between two frames with a_0 = 1: `first` and what is added to it until the next frame, [K, 6]; or
// the first frame alone.
template <class V, bool linear>
struct SectionFrame {
  const Lane<V>*first, *difference;
  const double* part;  // of the difference, for each sample of the tile

  POLEZERO_INLINE Section<V> operator()(int64_t n, int64_t k) const {
    const Lane<V>* c = first + k * kSectionTaps;
    if constexpr (linear) {
      const Lane<V>* d = difference + k * kSectionTaps;
      const V p = in_all_lanes<V>(V_of(part[n]));
      return {c[0].v + p * d[0].v, c[1].v + p * d[1].v, c[2].v + p * d[2].v, c[4].v + p * d[4].v,
              c[5].v + p * d[5].v};
    } else {
      return {c[0].v, c[1].v, c[2].v, c[4].v, c[5].v};
    }
  }
  POLEZERO_INLINE V inverse(int64_t, int64_t) const { return in_all_lanes<V>(V_of(1)); }

 private:
  static auto V_of(double u) {
    if constexpr (is_complex<V>) {
      return V(u);
    } else {
      return u;
    }
  }
};

template <class V>
struct SectionState {
  V s0{}, s1{};
};

// Sections that are filtered at once: so many hide each other's chain of two fmas a sample.
inline constexpr int kSectionsAtOnce = 4;

// Sections k .. k + J - 1. With `keep` signal j + 1, a tile behind signal j, is the output of
// section j; otherwise the last output replaces the signal.
template <int J, bool keep, class Source, class V>
[[gnu::noinline]] void filter_sections(const Source& sections, int64_t k, V* signal, int64_t count,
                                       SectionState<V>* states) {
  SectionState<V> s[J];
  std::copy_n(states, J, s);
  for (int64_t n = 0; n < count; ++n) {
    V v = signal[n];
    unroll<J>([&](auto j) POLEZERO_LAMBDA {
      v = section_forward(sections(n, k + j), v, s[j].s0, s[j].s1);
      if constexpr (keep) signal[(j + 1) * kSectionTile + n] = v;
    });
    if constexpr (!keep) signal[n] = v;
  }
  std::copy_n(s, J, states);
}
template <bool keep, class Source, class V>
void filter_cascade(const Source& sections, int64_t K, V* signal, int64_t count,
                    SectionState<V>* states) {
  for (int64_t k = 0; k < K; k += kSectionsAtOnce) {
    with_constant<kSectionsAtOnce>(std::min<int64_t>(kSectionsAtOnce, K - k), [&](auto J) {
      filter_sections<J, keep>(sections, k, signal + (keep ? k * kSectionTile : 0), count,
                               states + k);
    });
  }
}

// What the adjoint of one sample of a section knows: the lambdas of this sample and the next two,
// the gradients of its output and input, and the filter's input and output.
template <class V>
struct AdjointSample {
  V lambda{}, s0{}, s1{}, g{}, grad{}, x{}, y{};

  // The gradients of b_0 b_1 b_2 a_0 a_1 a_2, but for 1 / a_0, added to
  // sums; or `weight` of them.
  POLEZERO_INLINE void add_products(V (&sums)[kSectionTaps]) const {
    add(conjugate(x), conjugate(y), sums);
  }
  POLEZERO_INLINE void add_products(V (&sums)[kSectionTaps], double weight) const {
    add(weight * conjugate(x), weight * conjugate(y), sums);
  }

 private:
  POLEZERO_INLINE void add(V u, V v, V (&sums)[kSectionTaps]) const {
    sums[0] += multiply(lambda, u);
    sums[1] += multiply(s0, u);
    sums[2] += multiply(s1, u);
    sums[3] = (sums[3] - multiply(grad, u)) + multiply(g - lambda, v);
    sums[4] -= multiply(s0, v);
    sums[5] -= multiply(s1, v);
  }
};

// Section k backwards in time on the gradient g, in place. The filter's input and output are those
// of `filter_cascade`.
template <class Source, class Sink, class V>
[[gnu::noinline]] void adjoint_of_section(const Source& sections, int64_t k, V* g, const V* input,
                                          int64_t count, SectionState<V>& state, Sink& sink) {
  SectionState<V> s = state;
  auto to = sink.begin(k);
  for (int64_t n = count - 1; n >= 0; --n) {
    Section<V> c = sections(n, k);
    c = {conjugate(c.b0), conjugate(c.b1), conjugate(c.b2), conjugate(c.a1), conjugate(c.a2)};
    AdjointSample<V> at{.s0 = s.s0, .s1 = s.s1, .g = g[n]};
    at.grad = section_adjoint(c, at.g, s.s0, s.s1, at.lambda);
    if constexpr (Sink::reads_signals) {
      at.x = input[n];
      at.y = input[kSectionTile + n];
    }
    to.add(n, at, sections);
    s = {at.lambda, s.s0};
    g[n] = at.grad;
  }
  sink.end(k, to, state, input);
  state = s;
}
template <class Source, class Sink, class V>
void adjoint_of_cascade(const Source& sections, int64_t K, V* g, const V* signal, int64_t count,
                        SectionState<V>* states, Sink& sink) {
  for (int64_t k = K - 1; k >= 0; --k) {
    const V* input = Sink::needs_signals ? signal + k * kSectionTile : nullptr;
    adjoint_of_section(sections, k, g, input, count, states[k], sink);
  }
}

// ---- sinks

template <class V>
struct NoGradient {
  static constexpr bool needs_signals = false, reads_signals = false;

  struct Section {
    template <class Source>
    POLEZERO_INLINE void add(int64_t, const AdjointSample<V>&, const Source&) {}
  };
  Section begin(int64_t) { return {}; }
  void end(int64_t, const Section&, const SectionState<V>&, const V*) {}
};

// Of every sample, for each row: to [samples, K].
template <class V>
struct GradientOfSamples {
  static constexpr bool needs_signals = true, reads_signals = true;
  SectionLanes<V> taps;
  int64_t K;

  struct Section {
    SectionLanes<V> taps;
    int64_t K, k;

    template <class Source>
    POLEZERO_INLINE void add(int64_t n, const AdjointSample<V>& at, const Source& sections) {
      V p[kSectionTaps]{};
      at.add_products(p);
      const V inverse = conjugate(sections.inverse(n, k));
      for (int i = 0; i < kSectionTaps; ++i) taps(n * K + k, i) = multiply(p[i], inverse);
    }
  };
  Section begin(int64_t k) { return {taps, K, k}; }
  void end(int64_t, const Section&, const SectionState<V>&, const V*) {}
};

// Of the two frames around the tile, where a_0 = 1: the products, and `part` of them, added to what
// is there, [K, 6] each.
template <class V, bool linear>
struct GradientOfFrames {
  static constexpr bool needs_signals = true, reads_signals = true;
  Lane<V>*whole, *later;
  const double* part;

  struct Section {
    const double* part;
    V whole[kSectionTaps]{}, later[kSectionTaps]{};

    template <class Source>
    POLEZERO_INLINE void add(int64_t n, const AdjointSample<V>& at, const Source&) {
      at.add_products(whole);
      if constexpr (linear) at.add_products(later, part[n]);
    }
  };
  Section begin(int64_t k) {
    Section to{part};
    for (int i = 0; i < kSectionTaps; ++i) {
      to.whole[i] = whole[k * kSectionTaps + i].v;
      to.later[i] = later[k * kSectionTaps + i].v;
    }
    return to;
  }
  void end(int64_t k, const Section& from, const SectionState<V>&, const V*) {
    for (int i = 0; i < kSectionTaps; ++i) {
      whole[k * kSectionTaps + i].v = from.whole[i];
      later[k * kSectionTaps + i].v = from.later[i];
    }
  }
};

// Of every sample, summed over the rows of a batch, without a_0: to [K, 5, tile]. Sums over rows
// are made with time in the lanes, as the filter's input and output, x and y, have it already.
template <class V, class T>
class SharedGradient {
 public:
  static constexpr bool needs_signals = true, reads_signals = false;
  using A = std::conditional_t<is_complex<V>, V, double>;

  SharedGradient(A* to, int64_t rows, int64_t count, const T* x, int64_t x_stride, const T* y,
                 int64_t y_stride)
      : sums_(to), rows_(rows), count_(count), x_(x), x_stride_(x_stride) {
    read(y, y_stride, *input_);
  }

  struct Section {
    V* lambdas;

    template <class Source>
    POLEZERO_INLINE void add(int64_t n, const AdjointSample<V>& at, const Source&) {
      lambdas[n] = at.lambda;
    }
  };
  Section begin(int64_t) { return {lambdas_}; }
  void end(int64_t k, const Section&, const SectionState<V>& after, const V* signal) {
    lambdas_[count_] = after.s0;
    lambdas_[count_ + 1] = after.s1;
    std::swap(input_, output_);
    if (k == 0) {
      read(x_, x_stride_, *input_);
    } else {
      turn(signal, count_, *input_);
    }
    turn(lambdas_, count_ + 2, lambda_);
    A* to = sums_ + k * 5 * kSectionTile;
    for (int64_t n = 0; n < count_; n += kBlock) sum_block(n, to + n);
  }

 private:
  static constexpr int64_t kRows = sizeof(V) / sizeof(A), kBlock = kRows;
  static constexpr int64_t kRow = kSectionTile + std::max<int64_t>(kBlock, 2);  // two more lambdas
  using Rows = A[kRows][kRow];

  void read(const T* from, int64_t stride, Rows& to) const {
    for (int64_t r = 0; r < rows_; ++r, from += stride) {
      for (int64_t n = 0; n < count_; ++n) to[r][n] = A(from[n]);
      for (int64_t n = count_; n % kBlock != 0; ++n) to[r][n] = A(0);
    }
  }
  // Samples of all rows, one behind the other in each row.
  static void turn(const V* from, int64_t count, Rows& to) {
    for (int64_t n = 0; n < count; n += kBlock) {
      if constexpr (is_complex<V>) {
        to[0][n] = from[n];
      } else {
        V block[kBlock];
        if (n + kBlock <= count) {
          std::copy_n(from + n, kBlock, block);
        } else {
          for (int64_t i = 0; i < kBlock; ++i) block[i] = n + i < count ? from[n + i] : V{};
        }
        transpose<1, double, kBatch>(block);
        for (int64_t i = 0; i < kRows; ++i) store<double>(&to[i][n], block[i]);
      }
    }
  }
  static V get(const A* p) {
    V v;
    std::memcpy(static_cast<void*>(&v), p, sizeof v);
    return v;
  }
  POLEZERO_INLINE void sum_block(int64_t n, A* to) const {
    V p[5] = {};
    for (int64_t r = 0; r < rows_; ++r) {
      const V x = conjugate(get(&(*input_)[r][n])), y = conjugate(get(&(*output_)[r][n]));
      const V s0 = get(&lambda_[r][n + 1]), s1 = get(&lambda_[r][n + 2]);
      p[0] += multiply(get(&lambda_[r][n]), x);
      p[1] += multiply(s0, x);
      p[2] += multiply(s1, x);
      p[3] -= multiply(s0, y);
      p[4] -= multiply(s1, y);
    }
    for (int i = 0; i < 5; ++i) {
      std::memcpy(static_cast<void*>(to + i * kSectionTile), &p[i], sizeof(V));
    }
  }

  A* sums_;
  int64_t rows_, count_;
  const T* x_;
  int64_t x_stride_;
  Rows signals_[2], lambda_;
  Rows *input_ = &signals_[0], *output_ = &signals_[1];
  V lambdas_[kSectionTile + 2];
};

POLEZERO_ISA_END
