// What a published Whisper attends to in a sound while it writes what is said. `heed transcribe`
// writes it.                                                               Radford et al. 2023
#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/task_kind.h"
#include "heed/cli/tasks/sound_view.h"
#include "heed/cli/tasks/token_attention.h"
#include "heed/io/utf8.h"
#include "heed/ops/cross_entropy.h"
#include "heed/tasks/speech/transcription.h"

namespace heed::cli {
namespace {

constexpr int64_t kFramesOfStep = 2;  // of the encoder

struct NoOptions {
  void check() const {}
};

class TranscriberAdapter final : public TaskAdapter {
 public:
  TranscriberAdapter(tasks::Transcriber transcriber, NoOptions /*options*/)
      : transcriber_(std::move(transcriber)) {}

  OrderedJson description() const override {
    const models::EncoderDecoderOptions& network = transcriber_.model->encoder_decoder()->options();
    return {{"architecture", transcriber_.model->model_type()},
            {"multilingual", transcriber_.multilingual},
            {"num_mel_bins", network.source_mel_bins},
            {"max_source_positions", network.source_positions},
            {"max_target_positions", network.transformer.max_length},
            {"d_model", network.transformer.d_model}};
  }

  TaskEvaluation evaluate(const std::vector<std::string>& /*files*/,
                          const tasks::Progress& /*progress*/) const override {
    throw UsageError("heed eval: what heed transcribe writes of sounds, heed score wer measures");
  }

  void predict(const std::string& /*file*/, AnswerWriter& /*answers*/) const override {
    throw UsageError("heed predict: what is said in a sound, heed transcribe writes");
  }

  AttentionView attend(const std::string& argument,
                       const AttentionRequest& request) const override {
    const c10::InferenceMode inference(!request.gradients);
    const audio::Sound sound = audio::read_sound(argument);
    const tasks::HeardChunk heard = tasks::heard_at_once(transcriber_, sound);
    std::vector<int64_t> read = heard.prompt;
    read.insert(read.end(), heard.ids.begin(), heard.ids.end());
    nn::AttentionRecorder recorder;
    const at::Tensor logits = transcriber_.model->forward(
        heard.frames.clone(), {.ids = at::tensor(read, at::kLong).unsqueeze(0)})[0];
    return sound_view({.title = text_of_ids(heard.ids),
                       .features = heard.features,
                       .tokens = names_of_next(read),
                       .calls = std::move(recorder.cross),
                       .score = request.gradients ? log_probability(logits, heard) : at::Tensor(),
                       .details = {{"text", text_of_ids(heard.ids)}}},
                      steps());
  }

 private:
  // Of all that was written behind the prompt, and of its end. logits (tokens read, V).
  at::Tensor log_probability(const at::Tensor& logits, const tasks::HeardChunk& heard) const {
    std::vector<int64_t> wanted = heard.ids;
    wanted.push_back(transcriber_.ends.front());
    return -heed::cross_entropy(logits.slice(0, std::ssize(heard.prompt) - 1),
                                at::tensor(wanted, at::kLong), {.reduction = Reduction::kSum});
  }

  std::vector<int64_t> without_times(std::vector<int64_t> ids) const {
    std::erase_if(ids, [&](int64_t id) { return transcriber_.is_time(id); });
    return ids;
  }

  std::string text_of_ids(const std::vector<int64_t>& ids) const {
    const std::vector<int64_t> words = without_times(ids);
    const std::vector<int32_t> tokens(words.begin(), words.end());
    return std::string(trimmed(transcriber_.tokenizer->decode(tokens)));
  }

  // A row of the weights is named after the token that stands behind the one that it reads, the
  // last after the end; a time as transformers writes it, for a tokenizer may have none.
  std::vector<std::string> names_of_next(const std::vector<int64_t>& read) const {
    const std::vector<int64_t> next(read.begin() + 1, read.end());
    std::vector<std::string> pieces = pieces_of(transcriber_.tokenizer, without_times(next));
    auto piece = pieces.begin();
    std::vector<std::string> names;
    for (const int64_t id : next) {
      names.push_back(transcriber_.is_time(id) ? formatted("<|%.2f|>", transcriber_.seconds_of(id))
                                               : std::move(*piece++));
    }
    names.push_back(
        transcriber_.tokenizer->token_of(static_cast<int32_t>(transcriber_.ends.front())));
    return names;
  }

  models::SpeechOptions steps() const {
    const audio::LogMelOptions& hearing = transcriber_.hearing;
    return {.frame_shift = 1000 * static_cast<double>(hearing.hop) /
                           static_cast<double>(hearing.sampling_rate),
            .subsampling = kFramesOfStep};
  }

  tasks::Transcriber transcriber_;
};

TaskLoader define_speech_to_text(TaskOptions& /*options*/, Use /*use*/) {
  return loader_of<TranscriberAdapter>([] { return NoOptions(); }, tasks::load_transcriber);
}

}  // namespace

TaskKind speech_to_text() {
  return {.name = "transcribe",
          .define = define_speech_to_text,
          .purpose = models::published::Purpose::kSpeechToText};
}

}  // namespace heed::cli
