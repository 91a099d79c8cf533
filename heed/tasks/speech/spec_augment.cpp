#include "heed/tasks/speech/spec_augment.h"

#include <ATen/ATen.h>

namespace heed::tasks {
namespace {

constexpr double kMostHidden = 0.2;  // of a sound, by one stretch

// (B, size) bool: for each row a stretch of up to `most` (B), anywhere within its first `limits`
// (B) places.
at::Tensor stretches(const at::Tensor& most, const at::Tensor& limits, int64_t size) {
  const at::Tensor width = (at::rand_like(most) * (most + 1)).floor();
  const at::Tensor first = (at::rand_like(most) * (limits - width + 1)).floor();
  const at::Tensor places = at::arange(size, most.options()).unsqueeze(0);
  return (places >= first.unsqueeze(1)).logical_and(places < (first + width).unsqueeze(1));
}

// The bands of each sound read at other places, with a straight line between two of them.
at::Tensor warped(const at::Tensor& frames, double share) {
  const int64_t bins = frames.size(2);
  const at::Tensor factors = 1 + share * (2 * at::rand({frames.size(0), 1}, frames.options()) - 1);
  const at::Tensor places =
      (at::arange(bins, frames.options()).unsqueeze(0) * factors).clamp(0, bins - 1);  // (B, M)
  const at::Tensor below = places.floor();
  const auto at_places = [&](const at::Tensor& where) {
    return frames.gather(2, where.to(at::kLong).unsqueeze(1).expand_as(frames));
  };
  const at::Tensor part = (places - below).unsqueeze(1);
  return at_places(below) * (1 - part) + at_places((below + 1).clamp_max(bins - 1)) * part;
}

}  // namespace

at::Tensor augmented(const FrameBatch& batch, const SpecAugmentOptions& o) {
  at::Tensor x = o.frequency_warp > 0 ? warped(batch.frames, o.frequency_warp) : batch.frames;
  const at::Tensor lengths = batch.lengths.to(at::kFloat);
  const at::Tensor longest =
      (lengths * kMostHidden).floor().clamp_max(static_cast<double>(o.time_mask_length));
  for (int64_t i = 0; i < o.time_masks; ++i) {
    x = x.masked_fill(stretches(longest, lengths, x.size(1)).unsqueeze(2), 0);
  }
  const at::Tensor bins = at::full_like(lengths, static_cast<double>(x.size(2)));
  const at::Tensor widest = bins.clamp_max(static_cast<double>(o.frequency_mask_width));
  for (int64_t i = 0; i < o.frequency_masks; ++i) {
    x = x.masked_fill(stretches(widest, bins, x.size(2)).unsqueeze(1), 0);
  }
  return x;
}

}  // namespace heed::tasks
