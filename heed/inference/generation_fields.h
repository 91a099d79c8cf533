// The settings with which text is written token by token, as one list (heed/nn/fields.h), named as
// in generate() and generation_config.json of Hugging Face. Several structs of options hold some of
// them: of each those are visited that it has. What checks them, the command line, the reader of
// generation_config.json and the table of docs/language_models.md follow the list.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include "heed/nn/fields.h"

namespace heed::inference {

inline constexpr double kNoLimit = 1e15;  // of tokens, and of what divides logits

constexpr nn::Field choosing(nn::Field field) {
  field.group = "Choosing tokens";
  return field;
}

// How one token is chosen.
template <typename Options, typename Visit>
void visit_sampling_fields(Options& o, const Visit& visit) {
  if constexpr (requires { o.temperature; }) {
    visit(choosing({.name = "temperature",
                    .help = "Below 1 likely tokens become likelier; 0: always the most likely one",
                    .most = kNoLimit}),
          o.temperature);
  }
  if constexpr (requires { o.top_k; }) {
    visit(choosing(
              {.name = "top_k", .help = "Only the K most likely tokens; 0: all", .most = kNoLimit}),
          o.top_k);
  }
  if constexpr (requires { o.top_p; }) {
    visit(choosing({.name = "top_p",
                    .help = "Only the most likely tokens with this probability together",
                    .most = 1,
                    .above = true}),
          o.top_p);
  }
  if constexpr (requires { o.min_p; }) {
    visit(choosing({.name = "min_p",
                    .help = "Only tokens at least this share as likely as the likeliest; 0: all",
                    .most = 1}),
          o.min_p);
  }
  if constexpr (requires { o.repetition_penalty; }) {
    visit(choosing({.name = "repetition_penalty",
                    .help = "Above 1 tokens that are there already become unlikelier",
                    .most = kNoLimit,
                    .above = true}),
          o.repetition_penalty);
  }
  if constexpr (requires { o.seed; }) {
    visit(choosing({.name = "seed", .help = "The same seed gives the same text"}), o.seed);
  }
}

// What must not be written.
template <typename Options, typename Visit>
void visit_rule_fields(Options& o, const Visit& visit) {
  if constexpr (requires { o.no_repeat_ngram_size; }) {
    visit(choosing({.name = "no_repeat_ngram_size",
                    .help = "No sequence of so many tokens twice; 0: any",
                    .most = kNoLimit}),
          o.no_repeat_ngram_size);
  }
}

// Calls visit(field, member) for each; members of `o.sampling` and `o.rules` too.
template <typename Options, typename Visit>
void visit_generation_fields(Options& o, const Visit& visit) {
  if constexpr (requires { o.max_new_tokens; }) {
    visit(
        choosing({.name = "max_new_tokens", .help = "Tokens to write, at most", .most = kNoLimit}),
        o.max_new_tokens);
  }
  if constexpr (requires { o.min_new_tokens; }) {
    visit(choosing({.name = "min_new_tokens",
                    .help = "Tokens to write before an end token may follow",
                    .most = kNoLimit}),
          o.min_new_tokens);
  }
  if constexpr (requires { o.sampling; }) visit_sampling_fields(o.sampling, visit);
  visit_sampling_fields(o, visit);
  if constexpr (requires { o.rules; }) visit_rule_fields(o.rules, visit);
  visit_rule_fields(o, visit);
  if constexpr (requires { o.num_return_sequences; }) {
    visit(choosing({.name = "num_return_sequences",
                    .help = "Texts to write; of a beam search, its best ones",
                    .least = 1,
                    .most = 100'000}),
          o.num_return_sequences);
  }
  if constexpr (requires { o.num_beams; }) {
    visit(choosing({.name = "num_beams",
                    .help = "Beginnings of a text that beam search keeps, to find the most likely "
                            "one; 1: no beam search",
                    .least = 1,
                    .most = 10'000}),
          o.num_beams);
  }
  if constexpr (requires { o.length_penalty; }) {
    visit(choosing({.name = "length_penalty",
                    .help = "Beam search ranks by log-probability / length to this power",
                    .least = -1e6,
                    .most = 1e6}),
          o.length_penalty);
  }
}

// Gives `to` what `from` has in those fields that both have, of one type, and that `wanted(field)`
// takes.
template <typename To, typename From, typename Wanted>
void take_generation_fields(To& to, const From& from, const Wanted& wanted) {
  visit_generation_fields(from, [&](const nn::Field& field, const auto& value) {
    if (!wanted(field)) return;
    visit_generation_fields(to, [&](const nn::Field& other, auto& member) {
      if constexpr (std::same_as<std::remove_cvref_t<decltype(member)>,
                                 std::remove_cvref_t<decltype(value)>>) {
        if (std::string_view(other.name) == field.name) member = value;
      }
    });
  });
}

}  // namespace heed::inference
