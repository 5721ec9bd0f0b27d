// Just enough of RIFF WAVE for an example: 16-bit PCM.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

struct Wav {
  uint32_t rate = 0;
  uint16_t channels = 0;
  std::vector<float> samples;  // interleaved, in [-1, 1)
};

template <class T>
T read_at(const std::vector<char>& bytes, size_t at) {
  if (at + sizeof(T) > bytes.size()) throw std::runtime_error("the WAV file ends too early");
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

inline Wav read_wav(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  Wav wav;
  for (size_t at = 12; at + 8 <= bytes.size();) {  // chunks: a name, a size, the contents
    const std::string name(bytes.data() + at, 4);
    const uint32_t size = read_at<uint32_t>(bytes, at + 4);
    at += 8;
    if (name == "fmt ") {
      wav.channels = read_at<uint16_t>(bytes, at + 2);
      wav.rate = read_at<uint32_t>(bytes, at + 4);
      if (read_at<uint16_t>(bytes, at) != 1 || read_at<uint16_t>(bytes, at + 14) != 16) {
        throw std::runtime_error(path + ": expected 16-bit PCM");
      }
    } else if (name == "data") {
      for (size_t i = at; i + 2 <= std::min<size_t>(at + size, bytes.size()); i += 2) {
        wav.samples.push_back(static_cast<float>(read_at<int16_t>(bytes, i)) / 32768);
      }
      return wav;
    }
    at += size + size % 2;
  }
  throw std::runtime_error(path + ": expected a RIFF WAVE file with a data chunk");
}

inline void write_wav(const std::string& path, const Wav& wav) {
  std::ofstream file(path, std::ios::binary);
  auto put = [&](auto value) { file.write(reinterpret_cast<const char*>(&value), sizeof value); };
  const uint32_t size = static_cast<uint32_t>(2 * wav.samples.size());
  const uint16_t frame = static_cast<uint16_t>(2 * wav.channels);
  file.write("RIFF", 4), put(36 + size), file.write("WAVEfmt ", 8), put(uint32_t{16});
  put(uint16_t{1}), put(wav.channels), put(wav.rate), put(wav.rate * frame), put(frame);
  put(uint16_t{16}), file.write("data", 4), put(size);
  for (const float sample : wav.samples) {
    put(static_cast<int16_t>(std::lround(std::clamp(sample, -1.0F, 32767.0F / 32768) * 32768)));
  }
  if (!file) throw std::runtime_error("cannot write " + path);
}
