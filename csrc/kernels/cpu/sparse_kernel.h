// Sparse filters on the CPU. What lies `longest` samples back is kept in float64 (tile/scalar.h has
// the reason) in a line that is moved on a tile at a time. Samples that are closer together than
// the shortest delay do not meet: where delays and coefficients allow, they make a vector.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/sparse.h"
#include "tile/simd.h"
#include "tile/sparse_taps.h"

POLEZERO_ISA_BEGIN

// Positions count in the order of filtering; sample n is at position n or, backwards, at last - n,
// and a line lies in memory in the order of n either way.
template <class A, int step>
class DelayLine {
 public:
  // `behind` positions before those in hand stay, and `ahead` after them may be written to.
  DelayLine(int64_t behind, int64_t ahead, int64_t time)
      : behind_(std::min(behind, time)),
        ahead_(std::min(ahead, time)),
        tile_(std::min(std::max(kTile, behind_ + ahead_), time)),
        line_(behind_ + tile_ + ahead_, A(0)),
        now_(line_.data() + (step > 0 ? behind_ : ahead_ + tile_ - 1)) {}

  int64_t tile() const { return tile_; }
  // Of position i of the tile in hand.
  A* at(int64_t i) { return now_ + step * i; }
  // The tile that was in hand had `tile()` positions: the next one.
  void advance() {
    const int64_t keep = behind_ + ahead_;
    A* to = step > 0 ? line_.data() : line_.data() + tile_;
    const A* from = step > 0 ? line_.data() + tile_ : line_.data();
    std::memmove(static_cast<void*>(to), from, keep * sizeof(A));
    if (ahead_ > 0) std::fill_n(step > 0 ? line_.data() + keep : line_.data(), tile_, A(0));
  }

 private:
  static constexpr int64_t kTile = 2048;
  int64_t behind_, ahead_, tile_;
  std::vector<A> line_;
  A* now_;
};

// The weights of a tap that reads four samples, a lane each, the nearest last: so they lie in
// memory.
struct FourWeights {
  vec<double, 4> w[4];  // of u^0, u^1 ..

  explicit FourWeights(const Interpolator& f) {
    for (int i = 0; i < 4; ++i) {
      for (int lane = 0; lane < 4; ++lane) w[i][lane] = f.w[3 - lane][i];
    }
  }
  POLEZERO_INLINE vec<double, 4> at(double u) const {
    const vec<double, 4> v = broadcast<double, 4>(u);
    return w[0] + v * (w[1] + v * (w[2] + v * w[3]));
  }
};

// Four samples' numbers in float64, and whole ones.
using Four = vec<double, 4>;
using WholeFour = vec<int32_t, 4>;
inline Four load_four(const double* p) { return load<double, 4>(p); }
inline Four load_four(const float* p) {
#if defined(__AVX__)
  return _mm256_cvtps_pd(_mm_loadu_ps(p));  // GCC 12's __builtin_convertvector goes through memory
#else
  return __builtin_convertvector((load<float, 4>(p)), Four);
#endif
}

// Of the only tap, of four samples from n on.
template <class T>
POLEZERO_INLINE Four four_delays(const SparseTapsOfRow<T>& taps, int64_t n) {
  const int64_t i = taps.taps.d_time == 0 ? 0 : n;
  const auto load = [&](const auto* d) {
    return taps.taps.d_time == 0 ? broadcast<double, 4>(*d) : load_four(d);
  };
  return taps.d_between != nullptr ? load(taps.d_between + i) : load(taps.d_between_single + i);
}

// What four samples, a lane each, read by way of a tap whose delay lies between samples.
template <int points>
class FourReads {
 public:
  POLEZERO_INLINE FourReads(const Interpolator& f, Four delays)
      : f_(f),
        whole_(__builtin_convertvector(delays, WholeFour)),
        u_(delays - __builtin_convertvector(whole_, Four)) {}

  // Whether it all lies among the `behind` samples before the first, and the four. (Delays that
  // nobody has looked at may be anything.)
  POLEZERO_INLINE bool are_within(int64_t behind) const {
    bool all = true;
    for (int lane = 0; lane < 4; ++lane) {
      const int64_t first = whole_[lane] - f_.before;
      all &= first >= 1 && first + points - 1 <= behind + lane;
    }
    return all;
  }
  template <class X>
  POLEZERO_INLINE Four of(const X* now) const {
    static_assert(points == 4);
    Four row[4];  // of each lane, the farthest sample first
    for (int lane = 0; lane < 4; ++lane) {
      row[lane] = load_four(now + lane - (whole_[lane] - f_.before) - 3);
    }
    const Four even = __builtin_shufflevector(row[0], row[1], 0, 4, 2, 6);
    const Four odd = __builtin_shufflevector(row[0], row[1], 1, 5, 3, 7);
    const Four even_of_others = __builtin_shufflevector(row[2], row[3], 0, 4, 2, 6);
    const Four odd_of_others = __builtin_shufflevector(row[2], row[3], 1, 5, 3, 7);
    return weight(3) * __builtin_shufflevector(even, even_of_others, 0, 1, 4, 5) +
           weight(2) * __builtin_shufflevector(odd, odd_of_others, 0, 1, 4, 5) +
           weight(1) * __builtin_shufflevector(even, even_of_others, 2, 3, 6, 7) +
           weight(0) * __builtin_shufflevector(odd, odd_of_others, 2, 3, 6, 7);
  }

 private:
  POLEZERO_INLINE Four weight(int j) const {
    const auto w = [&](int i) { return broadcast<double, 4>(f_.w[j][i]); };
    return w(0) + u_ * (w(1) + u_ * (w(2) + u_ * w(3)));
  }

  const Interpolator& f_;
  WholeFour whole_;
  Four u_;
};

// A row of a problem, whose taps read `points` samples each.
template <class T, int step, int points>
class SparseRow {
 public:
  using A = acc_t<T>;

  SparseRow(const SparseParams<T>& p, int64_t row, int64_t time)
      : p_(p),
        taps_(p.taps, row),
        time_(time),
        L_(p.taps.count),
        x_(p.x + row * p.x_stride),
        y_(p.y + row * p.y_stride),
        four_(p.taps.interpolator) {}

  void run() {
    const bool scatters = p_.transposed && !p_.taps.constant_delays();
    DelayLine<A, step> line(scatters ? 0 : p_.longest, scatters ? p_.longest : 0, time_);
    for (int64_t begin = 0; begin < time_; begin += line.tile()) {
      if (begin > 0) line.advance();
      const int64_t end = std::min(begin + line.tile(), time_);
      // positions at which taps are, and the others
      const int64_t first = std::clamp(step > 0 ? p_.past : int64_t{0}, begin, end);
      const int64_t last = std::clamp(step > 0 ? time_ : time_ - p_.past, begin, end);
      for (int64_t p = begin; p < first; ++p) before_taps(line.at(p - begin), p);
      scatters ? scatter(line, first, last, begin) : gather(line, first, last, begin);
      for (int64_t p = last; p < end; ++p) {
        A* now = line.at(p - begin);
        after_taps(now, p, scatters ? *now : multiply(sign(), gathered(now, p)));
      }
    }
  }

 private:
  using Line = DelayLine<A, step>;
  static constexpr bool kFour = points == 4 && !is_complex<T>;

  int64_t sample(int64_t position) const { return step > 0 ? position : time_ - 1 - position; }
  A signed_input(int64_t n) const { return p_.feedback ? widen(x_[n]) : A(0); }
  // What taps add.
  A sign() const { return A(p_.feedback ? -1 : 1); }

  // A given sample, forwards in time.
  void before_taps(A* now, int64_t p) {
    *now = widen(x_[sample(p)]);
    y_[sample(p)] = static_cast<T>(p_.feedback ? *now : A(0));
  }
  // A given sample of the transposed filter, on which no tap depends; `sum`: what they add to it.
  void after_taps(A* now, int64_t p, A sum) {
    const int64_t n = sample(p);
    y_[n] = static_cast<T>(signed_input(n) + sum);
    *now = A(0);
  }

  // What tap l reads of the `p` positions behind `now`, n counting from the first made by taps.
  A read(const A* now, int64_t p, int64_t n, int64_t l) const {
    if constexpr (points == 1) {
      const int64_t d = taps_.delay(n, l);
      return d <= p ? now[-step * d] : A(0);
    } else {
      A sum(0);
      taps_.template each<points>(n, l, [&](int64_t d, double w) {
        if (d <= p) sum += w * now[-step * d];
      });
      return sum;
    }
  }

  // Sample by sample from what lies behind; the taps of sample n are those of time n or, transposed
  // (their delays are constant), of n + d.
  A gathered(const A* now, int64_t p) const {
    const int64_t n = sample(p) - p_.past;
    A sum(0);
    for (int64_t l = 0; l < L_; ++l) {
      const int64_t at = p_.transposed ? n + taps_.delay(0, l) : n;
      if (p_.transposed && (at < 0 || at >= time_ - p_.past)) continue;
      sum += multiply(taps_.coefficient(at, l), read(now, p, n, l));
    }
    return sum;
  }
  void gather(Line& line, int64_t first, int64_t last, int64_t begin) {
    int64_t p = first;
    const auto serially_to = [&](int64_t to) {
      for (; p < to; ++p) gather_one(line.at(p - begin), p);
    };
    if constexpr (!is_complex<T> && points == 1) {
      const bool varying = taps_.varying != nullptr;
      if (p_.taps.constant_delays() && p_.shortest >= kLanes<double> && (!varying || L_ == 1)) {
        serially_to(std::min(std::max(first, *std::max_element(taps_.d, taps_.d + L_)), last));
        if (varying) {
          p = gather_vectors<true>(line, p, last, begin, std::integral_constant<int, 1>{});
        } else if (!with_constant<4>(L_, [&](auto count) {
                     p = gather_vectors<false>(line, p, last, begin, count);
                   })) {
          p = gather_vectors<false>(line, p, last, begin, L_);
        }
      }
    }
    if constexpr (kFour && step > 0) {
      if (L_ == 1 && p_.shortest >= 4 && p_.longest < std::numeric_limits<int32_t>::max()) {
        serially_to(std::min(std::max(first, p_.longest), last));
        p = gather_fours(line, p, last, begin);
      }
    }
    serially_to(last);
  }
  void gather_one(A* now, int64_t p) {
    const int64_t n = sample(p);
    const A out = signed_input(n) + multiply(sign(), gathered(now, p));
    *now = p_.feedback ? out : widen(x_[n]);
    y_[n] = static_cast<T>(out);
  }

  // Whole vectors of samples with constant delays, and constant coefficients or one tap. The
  // position of the first sample left. `count` is L, as a constant where it is small.
  template <bool one_varying_tap, class Count>
  int64_t gather_vectors(Line& line, int64_t p, int64_t last, int64_t begin, Count count) {
    constexpr int W = kLanes<double>;
    const bool feedback = p_.feedback, transposed = p_.transposed;
    const T* c =
        one_varying_tap ? taps_.varying + (transposed ? taps_.d[0] : 0) - p_.past : nullptr;
    for (; p + W <= last; p += W) {
      const int64_t n = step > 0 ? sample(p) : sample(p + W - 1);  // the first in memory
      double* h = step > 0 ? line.at(p - begin) : line.at(p + W - 1 - begin);
      const vec<double> x = to_double(x_ + n);
      vec<double> sum{};
      for (int64_t l = 0; l < count; ++l) {
        const vec<double> v = load<double>(h - step * taps_.d[l]);
        sum += (one_varying_tap ? to_double(c + n) : broadcast<double>(taps_.constant[l])) * v;
      }
      const vec<double> out = feedback ? x - sum : sum;
      store<double>(h, feedback ? out : x);
      store_narrow<W>(y_ + n, out);
    }
    return p;
  }

  // The same of one tap between four samples, forwards in time: four samples at a time.
  int64_t gather_fours(Line& line, int64_t p, int64_t last, int64_t begin) {
    for (; p + 4 <= last; p += 4) {
      const int64_t n = p - p_.past;
      double* now = line.at(p - begin);
      const FourReads<points> reads(p_.taps.interpolator, four_delays(taps_, n));
      const Four c = taps_.varying != nullptr ? load_four(taps_.varying + n)
                                              : broadcast<double, 4>(taps_.constant[0]);
      const Four sum = c * reads.of(now);
      const Four x = load_four(x_ + p), out = p_.feedback ? x - sum : sum;
      store<double, 4>(now, p_.feedback ? out : x);
      store_narrow<4>(y_ + p, out);
    }
    return p;
  }

  // Transposed, with delays that change with time: every sample is handed on to where it came from.
  void scatter(Line& line, int64_t first, int64_t last, int64_t begin) {
    for (int64_t p = first; p < last; ++p) {
      const int64_t n = sample(p);
      A* now = line.at(p - begin);
      const A out = signed_input(n) + *now;
      y_[n] = static_cast<T>(out);
      const A from = multiply(sign(), p_.feedback ? out : widen(x_[n]));
      for (int64_t l = 0; l < L_; ++l) {
        const A part = multiply(taps_.coefficient(n - p_.past, l), from);
        if constexpr (kFour && step < 0) {
          const ReadPoint at = taps_.point(n - p_.past, l);
          if (at.first + 3 <= n) {
            const vec<double, 4> w = four_.at(at.u) * broadcast<double, 4>(part);
            A* to = now - at.first - 3;
            // (vectors would wait for those of the sample before, which lie across them)
            for (int lane = 0; lane < 4; ++lane) to[lane] += w[lane];
            continue;
          }
        }
        taps_.template each<points>(n - p_.past, l, [&](int64_t d, double w) {
          if (d <= n) now[step * d] += w * part;
        });
      }
    }
  }

  const SparseParams<T>& p_;
  SparseTapsOfRow<T> taps_;
  int64_t time_, L_;
  const T* x_;
  T* y_;
  FourWeights four_;
};

template <class T>
void sparse(const SparseParams<T>& p, const Range& range) {
  with_points(p.taps, [&](auto points) {
    for (int64_t r = range.row_begin; r < range.row_end; ++r) {
      p.transposed ? SparseRow<T, -1, points>(p, r, range.time_end).run()
                   : SparseRow<T, 1, points>(p, r, range.time_end).run();
    }
  });
}

// ---- products

// Of one row, over its samples [begin, end), begin >= past.
template <class T, int points>
struct SparseProductRow {
  using A = acc_t<T>;
  const SparseProductParams<T>& p;
  SparseTapsOfRow<T> taps;
  const T *g, *x;

  SparseProductRow(const SparseProductParams<T>& params, int64_t row)
      : p(params), taps(p.taps, row), g(p.g + row * p.g_stride), x(p.x + row * p.x_stride) {}

  A at(int64_t n, int64_t l) const {
    A sum(0);
    taps.template each<points>(n - p.past, l, [&](int64_t d, double w) {
      if (d <= n) sum += w * widen(x[n - d]);
    });
    return multiply(widen(g[n]), sum);
  }
  // The sum of tap l.
  A sum(int64_t begin, int64_t end, int64_t l) const {
    A total(0);
    if constexpr (!is_complex<T> && points == 1) {
      constexpr int W = kLanes<double>;
      if (p.taps.constant_delays()) {
        const int64_t d = taps.delay(0, l);
        begin = std::min(std::max(begin, d), end);  // before that there is nothing
        vec<double> even{}, odd{};
        for (; begin + 2 * W <= end; begin += 2 * W) {
          even += to_double(g + begin) * to_double(x + begin - d);
          odd += to_double(g + begin + W) * to_double(x + begin + W - d);
        }
        total = horizontal_sum<double, W>(even + odd);
      }
    }
    Four fours{};
    each(
        begin, end, l, [&](int64_t, A product) { total += product; },
        [&](int64_t, auto products) { fours += products; });
    return total + horizontal_sum<double, 4>(fours);
  }
  // Those of tap l, to memory.
  void write(int64_t begin, int64_t end, int64_t l, T* to) const {
    const int64_t L = p.taps.count;
    each(
        begin, end, l,
        [&](int64_t n, A product) { to[(n - p.past) * L + l] = static_cast<T>(product); },
        [&](int64_t n, auto products) { store_narrow<4>(to + n - p.past, products); });
  }

 private:
  // one(n, product) for the samples of tap l, or, of the only tap between four samples, fours(n,
  // products) for four of them.
  template <class One, class Fours>
  POLEZERO_INLINE void each(int64_t begin, int64_t end, int64_t l, One&& one, Fours&& fours) const {
    int64_t n = begin;
    while (n < end) {
      if constexpr (points == 4 && !is_complex<T>) {
        if (p.taps.count == 1 && n + 4 <= end) {
          const FourReads<points> reads(p.taps.interpolator, four_delays(taps, n - p.past));
          if (reads.are_within(n)) {
            fours(n, load_four(g + n) * reads.of(x + n));
            n += 4;
            continue;
          }
        }
      }
      one(n, at(n, l));
      ++n;
    }
  }
};

template <class T, int points>
void sparse_product_row(const SparseProductParams<T>& p, int64_t r, int64_t time_end) {
  constexpr int64_t kTile = 2048;
  const int64_t L = p.taps.count, time = time_end - p.past;
  const SparseProductRow<T, points> row(p, r);
  for (int64_t begin = p.past; begin < time_end; begin += kTile) {
    const int64_t end = std::min(begin + kTile, time_end);
    for (int64_t l = 0; l < L; ++l) {
      if (p.p_sums != nullptr) p.p_sums[r * L + l] += row.sum(begin, end, l);
      if (p.p != nullptr) row.write(begin, end, l, p.p + r * time * L);
    }
  }
}

template <class T>
void sparse_product(const SparseProductParams<T>& p, const Range& range) {
  with_points(p.taps, [&](auto points) {
    for (int64_t r = range.row_begin; r < range.row_end; ++r) {
      sparse_product_row<T, points>(p, r, range.time_end);
    }
  });
}

POLEZERO_ISA_END
