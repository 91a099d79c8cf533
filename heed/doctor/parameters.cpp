// The numbers of a model as they are stored.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "heed/base/error.h"
#include "heed/doctor/model_checks.h"

namespace heed::doctor {
namespace {

template <typename Word>
Word word_at(const StoredTensor& tensor, size_t i) {
  Word word;
  std::memcpy(&word, tensor.data + i * sizeof(Word), sizeof(Word));
  return word;
}

struct CountedValues {
  int64_t not_finite = 0;
  int64_t zero = 0;
  int64_t all = 0;
};

// `infinite`: the bits of the exponent; `sign`: the bit of the sign.
template <typename Word>
CountedValues count_words(const StoredTensor& tensor, Word infinite, Word sign) {
  CountedValues counted{.all = static_cast<int64_t>(tensor.bytes / sizeof(Word))};
  for (int64_t i = 0; i < counted.all; ++i) {
    const auto word = word_at<Word>(tensor, static_cast<size_t>(i));
    counted.not_finite += (word & infinite) == infinite;
    counted.zero += (word & static_cast<Word>(~sign)) == 0;
  }
  return counted;
}

// Nothing of a dtype whose every pattern of bits is a number.
CountedValues counted(const StoredTensor& tensor) {
  switch (tensor.dtype) {
    case SafetensorsDtype::kF64:
      return count_words<uint64_t>(tensor, 0x7ff0'0000'0000'0000U, 0x8000'0000'0000'0000U);
    case SafetensorsDtype::kF32:
      return count_words<uint32_t>(tensor, 0x7f80'0000U, 0x8000'0000U);
    case SafetensorsDtype::kBF16:
      return count_words<uint16_t>(tensor, 0x7f80U, 0x8000U);
    case SafetensorsDtype::kF16:
      return count_words<uint16_t>(tensor, 0x7c00U, 0x8000U);
    default:
      return {};
  }
}

}  // namespace

void check_parameters(const Safetensors& parameters, Report& report) {
  report.made("parameters");
  int64_t broken = 0, all = 0;
  std::vector<std::string> examples, empty;
  for (const StoredTensor& tensor : parameters.tensors()) {
    const CountedValues found = counted(tensor);
    all += found.all;
    broken += found.not_finite;
    if (found.not_finite > 0 && examples.size() < kExamples) {
      examples.push_back(tensor.name + ": " + share_text(found.not_finite, found.all, "numbers"));
    }
    // Biases, and what a layer adds to what it got, may well start and stay at zero.
    const bool is_matrix = tensor.shape.size() >= 2 && found.all > 1;
    if (is_matrix && found.zero == found.all) empty.push_back(tensor.name);
  }
  report.numbers["parameters"] = all;
  if (broken > 0) {
    report.add({.check = "parameters",
                .severity = Severity::kStop,
                .summary = share_text(broken, all, "parameters") + " are infinite or no numbers",
                .advice = "train anew with a smaller --lr or --max-grad-norm 1, or from the last "
                          "checkpoint before it happened",
                .examples = examples});
  }
  if (!empty.empty()) {
    const auto count = std::ssize(empty);
    empty.resize(std::min(empty.size(), kExamples));
    report.add({.check = "parameters",
                .severity = Severity::kWarning,
                .summary = text_of(count, count == 1 ? " matrix is" : " matrices are",
                                   " zero throughout and pass nothing on"),
                .advice = "unless that is meant, they were never trained or were lost on the way",
                .examples = empty});
  }
}

}  // namespace heed::doctor
