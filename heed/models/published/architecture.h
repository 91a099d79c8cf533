// What an architecture of the `transformers` package is in terms of Heed's: which network with
// which settings follows from its config.json, and what its tensors are called. Each has a file of
// its own in architectures/, and a line in architecture.cpp; docs/adding_an_architecture.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "heed/models/encoder_decoder.h"
#include "heed/models/image_encoder.h"
#include "heed/models/language_model.h"
#include "heed/models/parts/head.h"
#include "heed/models/published/config.h"
#include "heed/models/published/purpose.h"
#include "heed/models/text_encoder.h"

namespace heed::models::published {

// How the tensors of a file make one of Heed's parameters.
enum class Layout : uint8_t {
  kRows,        // one behind the other; a single one as it is
  kTransposed,  // of a matrix (in, out); vectors as they are
  kByHead,      // query, key and value of each head behind each other: GPT-NeoX
  kOneRow,      // (1, N) of a vector; where it is missing, zeros
};

// Names of a parameter, or of the module whose .weight and .bias they are; * is the layer's place.
// Theirs that begin with a dot stand below the base, which files may leave out.
struct Rule {
  std::string ours;
  std::vector<std::string> theirs;  // its parts, in order
  Layout layout = Layout::kRows;
  std::vector<std::string> also = {};  // other names of the same tensor, where the first is missing
  std::vector<std::string> copies = {};  // names under which it is saved besides
  int64_t without_bias = -1;  // the part, of parts of one size, that has no bias: zeros; −1: none
};
using Rules = std::vector<Rule>;

using NetworkOptions = std::variant<TextEncoderOptions, LanguageModelOptions, EncoderDecoderOptions,
                                    ImageEncoderOptions>;

struct Plan {
  NetworkOptions network;
  Rules network_rules;  // ours: names within the network
  HeadOptions head;     // no outputs and no inner layer: none
  Rules head_rules;     // ours: names within the head
  // Of an encoder-decoder with a head, or without one: its source is its target too, one place
  // later behind this token; −1: it is given a target.
  int64_t first_target_id = -1;
  // A head reads the text up to its last token of this id; −1: all of it.
  int64_t last_read_id = -1;
  // Layers that share weights stand in groups; theirs are then called by group and place in it,
  // each in place of a *.
  int64_t inner_layers = 0;
  int64_t heads = 0;  // H, where the layout of a rule asks for it
  // Parts of tensors' names, and what the modules of transformers 5 are called instead: adapters
  // are written so, and read with either.
  std::vector<std::pair<std::string, std::string>> module_names = {};
};

struct ClassName {
  Purpose purpose;
  std::string_view name;
  std::optional<std::string_view> base = {};  // in place of that of the architecture
};

struct Architecture {
  std::string_view model_type;
  std::string_view base;           // in front of the network's tensors, where there is a head
  std::vector<ClassName> classes;  // the first of a purpose is what is saved
  Plan (*plan)(const Config& config, Purpose purpose);
};

const std::vector<Architecture>& architectures();

// The class that is saved; null: the architecture has none for this.
const ClassName* class_of(const Architecture& architecture, Purpose purpose);

// What stands in front of the network's tensors in a model of that class; empty: nothing.
std::string_view base_of(const Architecture& architecture, Purpose purpose);

// All that may stand there.
std::vector<std::string> bases_of(const Architecture& architecture);

// Throws UsageError with the list of those that are known.
const Architecture& find_architecture(std::string_view model_type);

// model_type of a config.json, or, where it says none, that of the architecture whose class stands
// in its `architectures`. Throws DataError where neither tells it.
std::string model_type_of(const JsonValue& config);

}  // namespace heed::models::published
