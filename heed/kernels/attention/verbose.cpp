#include "heed/kernels/attention/verbose.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "heed/base/format.h"

namespace heed::kernels {
namespace {

std::string pair_of(int64_t a, int64_t b) {
  std::string text = std::to_string(a);
  if (b != a) text += "/" + std::to_string(b);
  return text;
}

}  // namespace

bool is_verbose() {
  static const bool verbose = [] {
    const char* value = std::getenv("HEED_VERBOSE");
    return value != nullptr && *value != '\0' && std::strcmp(value, "0") != 0;
  }();
  return verbose;
}

std::string described(const Problem& p) {
  std::string text = "B" + std::to_string(p.shape.batch) + " H" +
                     pair_of(p.shape.heads, p.shape.key_heads) + " N" +
                     pair_of(p.shape.queries, p.shape.keys) + " D" +
                     pair_of(p.shape.size, p.shape.value_size) +
                     (p.type == DataType::kFloat32 ? " float32 " : " bfloat16 ") + p.score.name;
  text += p.pattern == nullptr ? ", full" : ", with a pattern";
  if (p.modifiers.softcap > 0) text += ", softcap";
  if (p.modifiers.alibi_slopes != nullptr) text += ", alibi";
  if (p.modifiers.relative.table != nullptr) text += ", relative bias";
  if (p.modifiers.dense.data != nullptr) text += ", bias";
  if (p.dropout.probability > 0) text += formatted(", dropout %g", p.dropout.probability);
  return text;
}

void say_verbose(const std::string& line) {
  // One call, so that lines of several threads do not mix.
  std::fputs(("heed: " + line + "\n").c_str(), stderr);
}

}  // namespace heed::kernels
