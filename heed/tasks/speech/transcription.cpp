#include "heed/tasks/speech/transcription.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "heed/audio/resample.h"
#include "heed/base/error.h"
#include "heed/base/joined.h"
#include "heed/inference/beam_search.h"
#include "heed/models/files/published_files.h"
#include "heed/models/published/preprocessor.h"
#include "heed/tasks/generation/published_rules.h"
#include "heed/tasks/generation/sequence_to_sequence_decoder.h"

namespace heed::tasks {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();
constexpr int64_t kMultilingualSize = 51'865;  // of the vocabularies of Whisper

int64_t id_of(const text::Tokenizer& tokenizer, const std::string& token,
              const std::filesystem::path& directory) {
  const auto id = tokenizer.id_of(token);
  if (!id) {
    throw DataError(directory.string(),
                    "expected a tokenizer with the token " + token + ", found none of that name");
  }
  return *id;
}

// "en" of the token "<|en|>".
std::string language_of(const Transcriber& transcriber, int64_t id) {
  const std::string& token = transcriber.tokenizer->token_of(static_cast<int32_t>(id));
  return token.size() > 4 ? token.substr(2, token.size() - 4) : token;
}

// The tokens of languages where generation_config.json does not list them: "<|en|>", "<|haw|>".
std::vector<int64_t> languages_by_spelling(const Transcriber& transcriber) {
  std::vector<int64_t> ids;
  const int64_t end = std::min<int64_t>(transcriber.no_timestamps, transcriber.tokenizer->size());
  for (int64_t id = transcriber.start + 1; id < end; ++id) {
    const std::string& token = transcriber.tokenizer->token_of(static_cast<int32_t>(id));
    if ((token.size() == 6 || token.size() == 7) && token.starts_with("<|")) ids.push_back(id);
  }
  return ids;
}

void forbid_range(std::span<float> logits, int64_t begin, int64_t end) {
  const auto size = std::ssize(logits);
  std::fill(logits.begin() + std::clamp<int64_t>(begin, 0, size),
            logits.begin() + std::clamp<int64_t>(end, 0, size), kForbidden);
}

// One chunk, read and written.
class Chunk {
 public:
  Chunk(const Transcriber& transcriber, const at::Tensor& frames,
        const TranscriptionOptions& options)
      : transcriber_(transcriber),
        options_(options),
        decoder_(transcriber.model->encoder_decoder(),
                 transcriber.model->encoder_decoder()->encode(frames)) {}

  // The likeliest language, as the model sees it before anything is written.
  int64_t language() {
    const at::Tensor logits = decoder_.step(at::full({1, 1}, transcriber_.start, at::kLong))[0];
    decoder_.reset();
    int64_t best = -1;
    for (const int64_t id : transcriber_.languages) {
      if (best < 0 || logits[id].item<float>() > logits[best].item<float>()) best = id;
    }
    check_usage(best >= 0, "language: expected a tokenizer that names languages, found none in it");
    return best;
  }

  // What follows the prompt, without what ends it.
  std::vector<int64_t> write(const std::vector<int64_t>& prompt) {
    const auto& usual = transcriber_.model->generation();
    const auto length = std::ssize(prompt);
    int64_t most = decoder_.capacity() - length;
    if (usual.max_length) most = std::min(most, *usual.max_length - length);
    if (usual.max_new_tokens) most = std::min(most, *usual.max_new_tokens);
    if (most <= 0) return {};
    inference::LogitRules rules = logit_rules(usual, length);
    if (options_.timestamps) {
      rules.more = [this](const inference::RowSoFar& row, std::span<float> logits) {
        apply_time_rules(transcriber_, row.ids.last(static_cast<size_t>(row.step)), logits);
      };
    }
    const int64_t beams = options_.num_beams > 0 ? options_.num_beams : usual.num_beams;
    return inference::beam_search(decoder_, at::tensor(prompt, at::kLong).unsqueeze(0),
                                  {.num_beams = beams,
                                   .length_penalty = usual.length_penalty,
                                   .early_stopping = early_stopping(usual, beams),
                                   .max_new_tokens = most,
                                   .min_new_tokens = least_new_tokens(usual, length),
                                   .repetition_penalty = usual.repetition_penalty,
                                   .eos_token_ids = transcriber_.ends,
                                   .rules = rules,
                                   .cancelled = options_.cancelled})[0][0]
        .ids;
  }

 private:
  const Transcriber& transcriber_;
  const TranscriptionOptions& options_;
  SequenceToSequenceDecoder decoder_;
};

class Writer {
 public:
  Writer(const Transcriber& transcriber, const audio::Sound& sound,
         const TranscriptionOptions& options)
      : transcriber_(transcriber), options_(options) {
    const auto& network = transcriber.model->encoder_decoder()->options();
    const audio::LogMelOptions& hearing = transcriber.hearing;
    chunk_ = 2 * network.source_positions;
    step_ = static_cast<double>(hearing.hop) / static_cast<double>(hearing.sampling_rate);
    audio::Sound all = audio::resampled(sound, hearing.sampling_rate);
    const auto hop = hearing.hop;
    end_ = (std::ssize(all.samples) + hop - 1) / hop;
    const auto least = static_cast<size_t>(chunk_ * hop);
    if (all.samples.size() < least) all.samples.resize(least);  // silence behind it
    mel_ = audio::log_mel(all, hearing);
  }

  Transcription run(const Progress& progress) {
    while (at_ < end_) {
      Chunk chunk(transcriber_, frames(), options_);
      if (prompt_.empty()) begin(chunk);
      const int64_t before = at_;
      take(chunk.write(prompt_));
      if (at_ <= before) at_ = before + chunk_;
      if (progress) progress(std::min(at_, end_), end_);
    }
    return std::move(result_);
  }

  HeardChunk run_once() {
    check_usage(end_ <= chunk_, "expected a sound of at most ", seconds(chunk_),
                " s, which the model hears at once, got one of ", seconds(end_), " s");
    HeardChunk heard{.features = mel_, .frames = frames()};
    heard.features.frames = chunk_;
    heard.features.values.resize(static_cast<size_t>(chunk_ * mel_.bins));
    Chunk chunk(transcriber_, heard.frames, options_);
    begin(chunk);
    heard.prompt = prompt_;
    heard.ids = chunk.write(prompt_);
    return heard;
  }

 private:
  double seconds(int64_t frames) const { return step_ * static_cast<double>(frames); }

  // (1, frames, bins) of the chunk that begins here, zeros behind the end.
  at::Tensor frames() const {
    at::Tensor part = at::zeros({1, chunk_, mel_.bins});
    const int64_t count = std::min(chunk_, mel_.frames - at_);
    if (count > 0) {
      const auto first = mel_.values.begin() + at_ * mel_.bins;
      std::copy(first, first + count * mel_.bins, part.mutable_data_ptr<float>());
    }
    return part.to(device_of(*transcriber_.model));
  }

  // What stands before all that is written.
  void begin(Chunk& chunk) {
    prompt_ = {transcriber_.start};
    check_usage(transcriber_.multilingual ||
                    (options_.language.empty() && !options_.translate.value_or(false)),
                "--language and --task: have no meaning for this model, which knows English alone");
    if (transcriber_.multilingual) {
      prompt_.push_back(language(chunk));
      result_.language = language_of(transcriber_, prompt_.back());
      prompt_.push_back(task());
    }
    if (!options_.timestamps) prompt_.push_back(transcriber_.no_timestamps);
  }

  // The token of the language that was asked for, that of generation_config.json, or what the model
  // hears.
  int64_t language(Chunk& chunk) const {
    const auto& usual = transcriber_.model->generation();
    const std::string& asked = options_.language.empty() ? usual.language : options_.language;
    if (asked.empty()) {
      if (usual.forced_language_id && knows(*usual.forced_language_id)) {
        return *usual.forced_language_id;
      }
      return chunk.language();
    }
    std::vector<std::string> known;
    for (const int64_t id : transcriber_.languages) {
      known.push_back(language_of(transcriber_, id));
      if (known.back() == asked) return id;
    }
    throw UsageError(text_of("language: '", asked, "' is none of the model's: ", joined(known)));
  }

  bool knows(int64_t language) const {
    return std::binary_search(transcriber_.languages.begin(), transcriber_.languages.end(),
                              language);
  }

  int64_t task() const {
    const auto& usual = transcriber_.model->generation();
    if (!options_.translate && usual.task.empty() && usual.forced_task_id) {
      return *usual.forced_task_id;
    }
    return id_of(
        *transcriber_.tokenizer,
        options_.translate.value_or(usual.task == "translate") ? "<|translate|>" : "<|transcribe|>",
        transcriber_.model->directory());
  }

  void add(double begin, double end, std::vector<int64_t> ids) {
    std::erase_if(ids, [&](int64_t id) { return transcriber_.is_time(id); });
    std::vector<int32_t> tokens(ids.begin(), ids.end());
    std::string text = transcriber_.tokenizer->decode(tokens);
    const size_t first = text.find_first_not_of(' ');
    if (first == std::string::npos) return;
    result_.segments.push_back(
        {.begin = begin, .end = end, .text = text.substr(first), .ids = std::move(ids)});
  }

  double time_of(int64_t id) const { return seconds(at_) + transcriber_.seconds_of(id); }

  // Segments end where two times stand beside each other; what follows the last of them is heard
  // once more with the next chunk, unless the chunk ends with one time: nothing is said behind it.
  void take(const std::vector<int64_t>& ids) {
    const int64_t here = std::min(at_ + chunk_, end_);
    const auto time = [&](size_t i) { return options_.timestamps && transcriber_.is_time(ids[i]); };
    std::vector<size_t> cuts;
    for (size_t i = 1; i < ids.size(); ++i) {
      if (time(i) && time(i - 1)) cuts.push_back(i);
    }
    const bool ends = ids.size() >= 2 && time(ids.size() - 1) && !time(ids.size() - 2);
    if (ends || cuts.empty()) cuts.push_back(ids.size());
    const bool whole = cuts.back() == ids.size();
    double last = seconds(here);
    size_t begin = 0;
    for (const size_t cut : cuts) {
      const std::vector<int64_t> part(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                                      ids.begin() + static_cast<std::ptrdiff_t>(cut));
      begin = cut;
      if (part.empty()) continue;
      const double from = transcriber_.is_time(part.front()) ? time_of(part.front()) : seconds(at_);
      const bool timed = part.size() > 1 && transcriber_.is_time(part.back());
      const double to = timed ? time_of(part.back()) : seconds(here);
      last = to;
      const double end = seconds(end_);  // what is said of the silence behind it ends with it
      add(std::min(from, end), std::min(to, end), part);
    }
    at_ = whole ? at_ + chunk_ : std::llround(last / step_);
  }

  const Transcriber& transcriber_;
  const TranscriptionOptions& options_;
  audio::LogMel mel_;
  double step_ = 0;    // seconds of a frame
  int64_t chunk_ = 0;  // frames
  int64_t end_ = 0;
  int64_t at_ = 0;
  std::vector<int64_t> prompt_;
  Transcription result_;
};

}  // namespace

Transcriber load_transcriber(const std::filesystem::path& directory) {
  models::PublishedFiles files =
      models::open_published(directory, models::published::Purpose::kSpeechToText);
  Transcriber made{.model = files.model,
                   .tokenizer = std::make_shared<const text::Tokenizer>(files.tokenizer.tokenizer)};
  made.hearing =
      models::published::read_sound_preparation(made.model->folders(), made.model->config());
  const models::published::GenerationConfig& generation = made.model->generation();
  made.no_timestamps = generation.no_timestamps_token_id
                           ? *generation.no_timestamps_token_id
                           : id_of(*made.tokenizer, "<|notimestamps|>", directory);
  if (made.no_timestamps + 1 >= made.model->vocab_size()) {
    throw DataError(directory.string(), "expected tokens for times behind <|notimestamps|>");
  }
  made.start = generation.decoder_start_token_id
                   ? *generation.decoder_start_token_id
                   : id_of(*made.tokenizer, "<|startoftranscript|>", directory);
  made.ends = generation.eos_token_ids;
  if (made.ends.empty()) made.ends = {id_of(*made.tokenizer, "<|endoftext|>", directory)};
  made.multilingual =
      generation.is_multilingual.value_or(made.model->vocab_size() >= kMultilingualSize);
  made.languages =
      generation.language_ids.empty() ? languages_by_spelling(made) : generation.language_ids;
  if (!made.languages.empty() && made.languages.back() >= made.tokenizer->size()) {
    throw DataError(
        directory.string(),
        text_of("field 'lang_to_id' of generation_config.json: expected tokens of the ",
                made.tokenizer->size(), " of the tokenizer, found ", made.languages.back()));
  }
  made.most_first_time = generation.max_initial_timestamp_index.value_or(made.most_first_time);
  return made;
}

void apply_time_rules(const Transcriber& t, std::span<const int64_t> written,
                      std::span<float> logits) {
  const auto size = std::ssize(logits);
  const int64_t first_time = t.no_timestamps + 1;
  const int64_t first_special = t.ends.front();  // all text has lower ids
  logits[static_cast<size_t>(t.no_timestamps)] = kForbidden;
  const bool after_time = !written.empty() && t.is_time(written.back());
  const bool after_two = written.size() < 2 || t.is_time(written[written.size() - 2]);
  if (after_time && after_two) forbid_range(logits, first_time, size);
  if (after_time && !after_two) forbid_range(logits, 0, first_special);
  const auto last =
      std::find_if(written.rbegin(), written.rend(), [&](int64_t id) { return t.is_time(id); });
  if (last != written.rend()) {
    // A time may stand again only as the beginning of the next segment.
    forbid_range(logits, first_time, after_time && !after_two ? *last : *last + 1);
  }
  if (written.empty()) {
    forbid_range(logits, 0, first_time);
    forbid_range(logits, first_time + t.most_first_time + 1, size);
  }
  const auto times = logits.begin() + static_cast<std::ptrdiff_t>(first_time);
  const float most = *std::max_element(times, logits.end());
  if (most == kForbidden) return;
  double sum = 0;
  for (auto at = times; at != logits.end(); ++at) {
    sum += std::exp(static_cast<double>(*at - most));
  }
  const double all = static_cast<double>(most) + std::log(sum);
  if (all > static_cast<double>(*std::max_element(logits.begin(), times))) {
    forbid_range(logits, 0, first_time);
  }
}

Transcription transcribe(const Transcriber& transcriber, const audio::Sound& sound,
                         const TranscriptionOptions& options, const Progress& progress) {
  const c10::InferenceMode inference;
  return Writer(transcriber, sound, options).run(progress);
}

HeardChunk heard_at_once(const Transcriber& transcriber, const audio::Sound& sound,
                         const TranscriptionOptions& options) {
  const c10::InferenceMode inference;
  return Writer(transcriber, sound, options).run_once();
}

}  // namespace heed::tasks
