#include "heed/audio/sound.h"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/io/file.h"

namespace heed::audio {
namespace {

constexpr int64_t kBlock = 1 << 14;  // frames that are read at once
constexpr int kMostChannels = 256;
constexpr int kHighestRate = 10'000'000;
constexpr uint64_t kMostBytes = uint64_t{4} << 30;

// A file in memory, as libsndfile reads it.
struct Bytes {
  std::string all;
  sf_count_t at = 0;

  static Bytes& of(void* self) { return *static_cast<Bytes*>(self); }
  static sf_count_t size(void* self) { return std::ssize(of(self).all); }
  static sf_count_t tell(void* self) { return of(self).at; }
  static sf_count_t seek(sf_count_t offset, int whence, void* self) {
    const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? tell(self) : size(self);
    of(self).at = std::clamp<sf_count_t>(from + offset, 0, size(self));
    return tell(self);
  }
  static sf_count_t read(void* to, sf_count_t count, void* self) {
    const sf_count_t taken = std::min(count, size(self) - tell(self));
    std::memcpy(to, of(self).all.data() + tell(self), static_cast<size_t>(taken));
    of(self).at += taken;
    return taken;
  }
  static sf_count_t write(const void* /*from*/, sf_count_t /*count*/, void* /*self*/) { return 0; }
};

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using OpenFile = std::unique_ptr<SNDFILE, Close>;

uint32_t little_endian(const char* bytes) {
  uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// libsndfile takes a WAV file that was cut off for a shorter one; its header says more. Sizes of 0
// and 2³² − 1 are those of programs that did not know it yet.
void check_whole(const std::string& name, const std::string& bytes) {
  constexpr uint64_t kRiff = 12, kChunk = 8;
  if (bytes.size() < kRiff || bytes.compare(0, 4, "RIFF") != 0) return;
  for (uint64_t at = kRiff; at + kChunk <= bytes.size();) {
    const bool is_data = bytes.compare(at, 4, "data") == 0;
    const uint64_t size = little_endian(bytes.data() + at + 4);
    at += kChunk;
    if (is_data) {
      if (size == 0 || size == UINT32_MAX || at + size <= bytes.size()) return;
      throw DataError(
          name, text_of("cut off: expected ", size, " bytes of samples, as its header says, found ",
                        bytes.size() - at));
    }
    at += size + size % 2;
  }
}

void check_shape(const std::string& name, const SF_INFO& info) {
  if (info.samplerate >= 1 && info.samplerate <= kHighestRate && info.channels >= 1 &&
      info.channels <= kMostChannels) {
    return;
  }
  throw DataError(name,
                  text_of("expected 1 to ", kMostChannels, " channels of 1 to ", kHighestRate,
                          " samples a second, found ", info.channels, " of ", info.samplerate));
}

}  // namespace

Sound read_sound(const std::filesystem::path& file, double most_seconds) {
  const std::string name = file.string();
  Bytes bytes{.all = read_file(file, kMostBytes, FileKind::kRegular)};
  check_whole(name, bytes.all);
  SF_VIRTUAL_IO calls{.get_filelen = Bytes::size,
                      .seek = Bytes::seek,
                      .read = Bytes::read,
                      .write = Bytes::write,
                      .tell = Bytes::tell};
  SF_INFO info{};
  const OpenFile open(sf_open_virtual(&calls, SFM_READ, &info, &bytes));
  if (!open) {
    throw DataError(name, text_of("expected a sound (WAV, FLAC, Ogg …), found what is none or is "
                                  "damaged: ",
                                  sf_strerror(nullptr)));
  }
  check_shape(name, info);
  const auto most = static_cast<uint64_t>(most_seconds * info.samplerate);
  const auto check_length = [&](uint64_t count) {
    if (count <= most) return;
    throw DataError(name, formatted("too long: expected at most %g seconds, found %.1f%s",
                                    most_seconds, static_cast<double>(count) / info.samplerate,
                                    count > static_cast<uint64_t>(info.frames) ? " or more" : ""));
  };
  check_length(static_cast<uint64_t>(std::max<sf_count_t>(info.frames, 0)));
  Sound sound{.sampling_rate = info.samplerate, .samples = {}};
  const auto channels = static_cast<size_t>(info.channels);
  std::vector<float> block(static_cast<size_t>(kBlock) * channels);
  for (sf_count_t count = 0; (count = sf_readf_float(open.get(), block.data(), kBlock)) > 0;) {
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      double sum = 0;
      for (size_t c = 0; c < channels; ++c) sum += block[i * channels + c];
      if (!std::isfinite(sum)) {
        throw DataError(name, text_of("sample ", sound.samples.size() + 1,
                                      ": expected a finite number, found NaN or infinity"));
      }
      sound.samples.push_back(static_cast<float>(sum / static_cast<double>(channels)));
    }
    check_length(sound.samples.size());
  }
  // How many samples an MP3 has is a guess until it is read.
  const auto promised = static_cast<uint64_t>(info.frames);
  const bool guessed = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_MPEG;
  if (sf_error(open.get()) != SF_ERR_NO_ERROR || (!guessed && sound.samples.size() < promised)) {
    throw DataError(name, text_of("cut off or damaged: expected ", promised,
                                  " samples, as its header says, found ", sound.samples.size()));
  }
  if (sound.samples.empty()) throw DataError(name, "expected samples, found none");
  return sound;
}

bool has_sound_name(const std::filesystem::path& file) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".aif", ".au", ".caf"});
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::find(kNames.begin(), kNames.end(), extension) != kNames.end();
}

}  // namespace heed::audio
