// Whether a text's answer depends on what else is in its batch.
#include <ATen/ATen.h>
#include <sys/mman.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <sstream>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/cli/doctor/attention_checks.h"
#include "heed/doctor/samples.h"
#include "heed/io/json.h"

namespace heed::cli {
namespace {

constexpr double kSame = 2e-3;       // relative, of numbers above 1: batches add in another order
constexpr double kManyTexts = 0.25;  // with another wording, which may hang on a hair

using Calls = std::vector<nn::AttendedHeads>;

// A file in memory that has a name while this lives.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text) : descriptor_(::memfd_create("texts", MFD_CLOEXEC)) {
    for (size_t at = 0; descriptor_ >= 0 && at < text.size();) {
      const ssize_t count = ::write(descriptor_, text.data() + at, text.size() - at);
      if (count < 0 && errno != EINTR) break;
      at += static_cast<size_t>(std::max<ssize_t>(count, 0));
    }
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string name() const { return text_of("/proc/self/fd/", descriptor_); }

 private:
  int descriptor_;
};

struct Answered {
  std::vector<Json> answers;  // one a text
  Calls self;
};

Answered answered(const TaskAdapter& model, const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + '\n';
  const MemoryFile file(all);
  std::ostringstream out, messages;
  AnswerWriter answers({.json = true}, out, messages);
  nn::AttentionRecorder recorder;
  model.predict(file.name(), answers);
  Answered result{.self = std::move(recorder.self)};
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) result.answers.push_back(Json::parse(line));
  return result;
}

// The largest difference of two numbers, and whether anything else differs.
struct Difference {
  double number = 0;
  bool other = false;
};

void compare(const Json& a, const Json& b, Difference& found) {
  if (a.is_number_float() || b.is_number_float()) {
    if (!a.is_number() || !b.is_number()) return;
    const auto x = a.get<double>(), y = b.get<double>();
    found.number =
        std::max(found.number, std::abs(x - y) / std::max({1.0, std::abs(x), std::abs(y)}));
  } else if (a.is_structured() && a.type() == b.type() && a.size() == b.size()) {
    auto other = b.begin();
    for (const Json& each : a) compare(each, *other++, found);
  } else {
    found.other = found.other || a != b;
  }
}

// Of each row of a batch, how many keys there are up to the last that any query gives a weight.
std::vector<int64_t> reaches_of(const nn::AttendedHeads& call) {
  const at::Tensor received = column_weights(call.tokens).sum(1);  // (B, Nk)
  const at::Tensor places = at::arange(1, received.size(1) + 1);
  const at::Tensor last = std::get<0>((places * (received > 0)).max(1)).contiguous();
  const auto* values = last.const_data_ptr<int64_t>();
  return {values, values + last.numel()};
}

// Whether the rows of the first layer reach beyond the texts that they hold. The order of the rows
// is the model's own, so both are sorted.
bool reaches_beyond(const Calls& together, std::vector<int64_t> lengths) {
  if (together.empty() || together.front().tokens.key.size(0) != std::ssize(lengths)) {
    return false;
  }
  std::vector<int64_t> reaches = reaches_of(together.front());
  std::sort(reaches.begin(), reaches.end());
  std::sort(lengths.begin(), lengths.end());
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (reaches[i] > lengths[i]) return true;
  }
  return false;
}

}  // namespace

void check_padding(const TaskAdapter& model, const std::vector<std::string>& texts,
                   doctor::Report& report) {
  if (texts.size() < 2) {
    report.not_checked.push_back({"padding", "fewer than two inputs to put beside each other"});
    return;
  }
  report.checked.emplace_back("padding");
  const Answered together = answered(model, texts);
  if (together.answers.size() != texts.size()) return;
  Difference all;
  std::vector<std::string> examples;
  std::vector<int64_t> lengths;
  size_t others = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const Answered alone = answered(model, {texts[i]});
    if (alone.answers.size() != 1) return;
    if (!alone.self.empty()) lengths.push_back(alone.self.front().tokens.key.size(2));
    Difference found;
    compare(alone.answers[0], together.answers[i], found);
    all.number = std::max(all.number, found.number);
    others += found.other;
    if ((found.number > kSame || found.other) && examples.size() < doctor::kExamples) {
      examples.push_back(doctor::beginning(texts[i]) + formatted(": %.4f apart", found.number));
    }
  }
  const bool differs = all.number > kSame ||
                       static_cast<double>(others) > kManyTexts * static_cast<double>(texts.size());
  const bool looks = lengths.size() == texts.size() && reaches_beyond(together.self, lengths);
  if (looks) {
    report.add({.check = "padding",
                .severity = doctor::Severity::kStop,
                .summary = "tokens that only fill up a batch are attended to",
                .advice = "the model lacks the mask of its padding (Pattern::padded)"});
  }
  if (differs) {
    report.add({.check = "padding",
                .severity = doctor::Severity::kStop,
                .summary = formatted("answers depend on the other texts of a batch: numbers are up "
                                     "to %.3f apart",
                                     all.number),
                .advice = "padding reaches the answer: mask it in attention and in pooling",
                .examples = examples});
  }
}

}  // namespace heed::cli
