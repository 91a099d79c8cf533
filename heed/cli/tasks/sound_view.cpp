#include "heed/cli/tasks/sound_view.h"

#include <ATen/ATen.h>

#include <optional>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/task_adapter.h"
#include "heed/viz/sound_picture.h"

namespace heed::cli {
namespace {

double seconds_per_step(const models::SpeechOptions& options) {
  return options.frame_shift / 1000 * static_cast<double>(options.subsampling);
}

SoundPicture energies_of(HeardSound sound, const models::SpeechOptions& options) {
  return {.title = std::move(sound.title),
          .frames = sound.features.frames,
          .bins = sound.features.bins,
          .energies = std::move(sound.features.values),
          .seconds_per_frame = options.frame_shift / 1000,
          .strips = {},
          .seconds_per_step = seconds_per_step(options)};
}

AttentionPagePicture page_picture(const SoundPicture& sound, int64_t steps,
                                  const models::SpeechOptions& options) {
  SoundPixels pixels = sound_pixels(sound);
  const auto frames = static_cast<double>(steps * options.subsampling);
  return {.height = pixels.height,
          .width = pixels.width,
          .pixels = std::move(pixels.colors),
          .rows = 1,
          .columns = steps,
          .covered_height = static_cast<double>(pixels.height),
          .covered_width = frames / static_cast<double>(pixels.frames_per_column),
          .timeline = true,
          .part = "moment",
          .about = text_of("The model heard this sound in steps of ",
                           formatted("%.2f s", seconds_per_step(options)),
                           ". Each step is a token, named by the time at which it begins. The "
                           "picture shows the sound from left to right, low tones at the bottom "
                           "and high ones on top: the darker, the louder.")};
}

std::vector<std::string> draw_sound(SoundPicture picture, const AttentionView& view,
                                    const std::string& path, const std::vector<int64_t>& layers,
                                    const std::vector<int64_t>& heads) {
  const auto add = [&](const std::string& name, const at::Tensor& weights) {
    const at::Tensor row = weights.contiguous();
    const auto* values = row.const_data_ptr<float>();
    picture.strips.push_back({.name = name, .weights = {values, values + row.numel()}});
  };
  if (view.alignment && layers.size() * heads.size() == 1) {
    const at::Tensor weights = view.matrix(layers[0], heads[0]);
    for (int64_t i = 0; i < weights.size(0); ++i) {
      add(view.queries[static_cast<size_t>(i)], weights[i]);
    }
    return write_sound_picture(picture, path);
  }
  for (const int64_t layer : layers) {
    const at::Tensor received = view.received(layer) / static_cast<double>(view.queries.size());
    for (const int64_t head : heads) {
      add(text_of("layer ", layer + 1, ", head ", head + 1), received[head]);
    }
  }
  return write_sound_picture(picture, path);
}

}  // namespace

AttentionView sound_view(HeardSound sound, const models::SpeechOptions& options) {
  const bool among_steps = sound.tokens.empty();
  AttentionView view{.title = sound.title,
                     .queries = std::move(sound.tokens),
                     .keys = {},
                     .calls = std::move(sound.calls),
                     .score = sound.score,
                     .alignment = !among_steps,
                     .details = std::move(sound.details)};
  const int64_t steps = view.calls.front().tokens.key.size(2);
  for (int64_t step = 0; step < steps; ++step) {
    view.keys.push_back(formatted("%.2f s", static_cast<double>(step) * seconds_per_step(options)));
  }
  if (among_steps) view.queries = view.keys;
  SoundPicture picture = energies_of(std::move(sound), options);
  std::optional<AttentionPagePicture> on_page;
  if (among_steps && picture.frames <= kMostSoundFrames) {
    on_page = page_picture(picture, steps, options);
  }
  view.draw = [picture = std::move(picture), view](const auto& path, const auto& layers,
                                                   const auto& heads) {
    return draw_sound(picture, view, path, layers, heads);
  };
  view.picture = std::move(on_page);
  return view;
}

}  // namespace heed::cli
