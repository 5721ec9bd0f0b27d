// Sparse filters on the CPU. What lies `longest` samples back is kept in float64 (tile/scalar.h has
// the reason) in a line that is moved on a tile at a time. Samples that are closer together than
// the shortest delay do not meet: where delays and coefficients allow, they make a vector.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/sparse.h"
#include "tile/simd.h"

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
    A* from = step > 0 ? line_.data() + tile_ : line_.data();
    std::memmove(static_cast<void*>(to), from, keep * sizeof(A));
    std::fill_n(step > 0 ? line_.data() + keep : line_.data(), tile_, A(0));
  }

 private:
  static constexpr int64_t kTile = 2048;
  int64_t behind_, ahead_, tile_;
  std::vector<A> line_;
  A* now_;
};

// A row of a problem.
template <class T, int step>
class SparseRow {
 public:
  using A = acc_t<T>;

  SparseRow(const SparseParams<T>& p, int64_t row, int64_t time)
      : p_(p),
        time_(time),
        L_(p.taps.count),
        x_(p.x + row * p.x_stride),
        y_(p.y + row * p.y_stride),
        d_(p.taps.d + row * p.taps.d_row),
        varying_(p.taps.varying == nullptr ? nullptr : p.taps.varying + row * p.taps.c_row),
        constant_(p.taps.constant == nullptr ? nullptr : p.taps.constant + row * p.taps.c_row) {}

  void run() {
    const bool scatters = p_.transposed && p_.taps.d_time != 0;
    DelayLine<A, step> line(scatters ? 0 : p_.longest, scatters ? p_.longest : 0, time_);
    for (int64_t begin = 0; begin < time_; begin += line.tile()) {
      if (begin > 0) line.advance();
      const int64_t end = std::min(begin + line.tile(), time_);
      // positions at which taps are, and the others
      const int64_t first = std::clamp(step > 0 ? p_.past : int64_t{0}, begin, end);
      const int64_t last = std::clamp(step > 0 ? time_ : time_ - p_.past, begin, end);
      for (int64_t p = begin; p < first; ++p) without_taps(line, p, begin);
      scatters ? scatter(line, first, last, begin) : gather(line, first, last, begin);
      for (int64_t p = last; p < end; ++p) {
        scatters ? collect(line, p, begin) : gather_for_past(line, p, begin);
      }
    }
  }

 private:
  using Line = DelayLine<A, step>;

  int64_t sample(int64_t position) const { return step > 0 ? position : time_ - 1 - position; }
  A coefficient(int64_t n, int64_t l) const {
    return varying_ != nullptr ? widen(varying_[(n - p_.past) * L_ + l]) : constant_[l];
  }
  A signed_input(int64_t n) const { return p_.feedback ? widen(x_[n]) : A(0); }
  // What taps add.
  A sign() const { return A(p_.feedback ? -1 : 1); }

  // A given sample, forwards in time.
  void without_taps(Line& line, int64_t p, int64_t begin) {
    const A x = widen(x_[sample(p)]);
    *line.at(p - begin) = x;
    y_[sample(p)] = static_cast<T>(p_.feedback ? x : A(0));
  }

  // Sample by sample from what lies behind; the taps of sample n are those of time n or, transposed
  // (their delays are constant), of n + d.
  A gathered(Line& line, int64_t p, int64_t begin) const {
    const int64_t n = sample(p);
    const int64_t* d = d_ + (p_.taps.d_time == 0 ? 0 : (n - p_.past) * L_);
    A sum(0);
    for (int64_t l = 0; l < L_; ++l) {
      if (d[l] > p) continue;
      const int64_t at = p_.transposed ? n + d[l] : n;
      if (p_.transposed && at < p_.past) continue;
      sum += multiply(coefficient(at, l), *line.at(p - begin - d[l]));
    }
    return sum;
  }
  void gather(Line& line, int64_t first, int64_t last, int64_t begin) {
    int64_t p = first;
    const auto serially_to = [&](int64_t to) {
      for (; p < to; ++p) gather_one(line, p, begin);
    };
    if constexpr (!is_complex<T>) {
      if (p_.taps.d_time == 0 && p_.shortest >= kLanes<double> &&
          (varying_ == nullptr || L_ == 1)) {
        serially_to(std::min(std::max(first, *std::max_element(d_, d_ + L_)), last));
        p = varying_ != nullptr ? gather_vectors<true>(line, p, last, begin)
                                : gather_vectors<false>(line, p, last, begin);
      }
    }
    serially_to(last);
  }
  void gather_one(Line& line, int64_t p, int64_t begin) {
    const int64_t n = sample(p);
    const A out = signed_input(n) + multiply(sign(), gathered(line, p, begin));
    *line.at(p - begin) = p_.feedback ? out : widen(x_[n]);
    y_[n] = static_cast<T>(out);
  }
  // A given sample of the transposed filter, on which no tap depends.
  void gather_for_past(Line& line, int64_t p, int64_t begin) {
    const int64_t n = sample(p);
    y_[n] = static_cast<T>(signed_input(n) + multiply(sign(), gathered(line, p, begin)));
    *line.at(p - begin) = A(0);
  }

  // Whole vectors of samples with constant delays, and constant coefficients or one tap. The
  // position of the first sample left.
  template <bool one_varying_tap>
  int64_t gather_vectors(Line& line, int64_t p, int64_t last, int64_t begin) {
    constexpr int W = kLanes<double>;
    for (; p + W <= last; p += W) {
      const int64_t n = step > 0 ? sample(p) : sample(p + W - 1);  // the first in memory
      double* h = step > 0 ? line.at(p - begin) : line.at(p + W - 1 - begin);
      const vec<double> x = to_double(x_ + n);
      vec<double> sum{};
      for (int64_t l = 0; l < L_; ++l) {
        vec<double> c;
        if constexpr (one_varying_tap) {
          c = to_double(varying_ + (p_.transposed ? n + d_[0] : n) - p_.past);
        } else {
          c = broadcast<double>(constant_[l]);
        }
        sum += c * load<double>(h - step * d_[l]);
      }
      const vec<double> out = p_.feedback ? x - sum : sum;
      store<double>(h, p_.feedback ? out : x);
      store_narrow<W>(y_ + n, out);
    }
    return p;
  }

  // Transposed, with delays that change with time: every sample is handed on to where it came from.
  void scatter(Line& line, int64_t first, int64_t last, int64_t begin) {
    for (int64_t p = first; p < last; ++p) {
      const int64_t n = sample(p);
      const A out = signed_input(n) + *line.at(p - begin);
      y_[n] = static_cast<T>(out);
      const A from = multiply(sign(), p_.feedback ? out : widen(x_[n]));
      const int64_t* d = d_ + (n - p_.past) * L_;
      for (int64_t l = 0; l < L_; ++l) {
        if (d[l] <= n) *line.at(p - begin + d[l]) += multiply(coefficient(n, l), from);
      }
    }
  }
  void collect(Line& line, int64_t p, int64_t begin) {
    const int64_t n = sample(p);
    y_[n] = static_cast<T>(signed_input(n) + *line.at(p - begin));
  }

  const SparseParams<T>& p_;
  int64_t time_, L_;
  const T* x_;
  T* y_;
  const int64_t* d_;
  const T* varying_;
  const A* constant_;
};

template <class T>
void sparse(const SparseParams<T>& p, const Range& range) {
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    p.transposed ? SparseRow<T, -1>(p, r, range.time_end).run()
                 : SparseRow<T, 1>(p, r, range.time_end).run();
  }
}

// ---- products

// Of one row, over its samples [begin, end), begin >= past.
template <class T>
struct SparseProductRow {
  using A = acc_t<T>;
  const SparseProductParams<T>& p;
  const T *g, *x;
  const int64_t* d;

  SparseProductRow(const SparseProductParams<T>& params, int64_t row)
      : p(params),
        g(p.g + row * p.g_stride),
        x(p.x + row * p.x_stride),
        d(p.taps.d + row * p.taps.d_row) {}

  A at(int64_t n, int64_t l) const {
    const int64_t m = n - d[(p.taps.d_time == 0 ? 0 : (n - p.past) * p.taps.count) + l];
    return m >= 0 ? multiply(widen(g[n]), widen(x[m])) : A(0);
  }
  // The sum of tap l.
  A sum(int64_t begin, int64_t end, int64_t l) const {
    A total(0);
    if constexpr (!is_complex<T>) {
      constexpr int W = kLanes<double>;
      if (p.taps.d_time == 0) {
        begin = std::min(std::max(begin, d[l]), end);  // before that there is nothing
        vec<double> even{}, odd{};
        for (; begin + 2 * W <= end; begin += 2 * W) {
          even += to_double(g + begin) * to_double(x + begin - d[l]);
          odd += to_double(g + begin + W) * to_double(x + begin + W - d[l]);
        }
        total = horizontal_sum<double, W>(even + odd);
      }
    }
    for (int64_t n = begin; n < end; ++n) total += at(n, l);
    return total;
  }
};

template <class T>
void sparse_product(const SparseProductParams<T>& p, const Range& range) {
  constexpr int64_t kTile = 2048;
  const int64_t L = p.taps.count, time = range.time_end - p.past;
  for (int64_t r = range.row_begin; r < range.row_end; ++r) {
    const SparseProductRow<T> row(p, r);
    for (int64_t begin = p.past; p.p_sums != nullptr && begin < range.time_end; begin += kTile) {
      const int64_t end = std::min(begin + kTile, range.time_end);
      for (int64_t l = 0; l < L; ++l) p.p_sums[r * L + l] += row.sum(begin, end, l);
    }
    for (int64_t n = p.past; p.p != nullptr && n < range.time_end; ++n) {
      T* to = p.p + (r * time + n - p.past) * L;
      for (int64_t l = 0; l < L; ++l) to[l] = static_cast<T>(row.at(n, l));
    }
  }
}

POLEZERO_ISA_END
