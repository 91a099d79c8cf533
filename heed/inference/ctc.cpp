#include "heed/inference/ctc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "heed/base/error.h"

namespace heed::inference {
namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

double log_sum(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == kImpossible ? a : a + std::log1p(std::exp(b - a));
}

// Of a beginning of the text: how likely its ways are that end with nothing, or with its last
// token.
struct Ways {
  double blank = kImpossible;
  double token = kImpossible;
  double all() const { return log_sum(blank, token); }
};

using Beginnings = std::map<std::vector<int32_t>, Ways>;

// The tokens of a step that are worth a look.
std::vector<int32_t> likely(const float* row, int64_t tokens, double least) {
  const float best = *std::max_element(row, row + tokens);
  std::vector<int32_t> all;
  for (int32_t token = 0; token < tokens; ++token) {
    if (row[token] >= best - least) all.push_back(token);
  }
  return all;
}

void go_on(const std::vector<int32_t>& text, const Ways& ways, const float* row,
           const std::vector<int32_t>& tokens, Beginnings& next) {
  for (const int32_t token : tokens) {
    const double here = static_cast<double>(row[token]);
    if (token == kCtcBlank) {
      Ways& same = next[text];
      same.blank = log_sum(same.blank, ways.all() + here);
      continue;
    }
    const bool again = !text.empty() && text.back() == token;
    if (again) {
      Ways& same = next[text];
      same.token = log_sum(same.token, ways.token + here);
    }
    std::vector<int32_t> longer = text;
    longer.push_back(token);
    Ways& more = next[longer];
    more.token = log_sum(more.token, (again ? ways.blank : ways.all()) + here);
  }
}

std::vector<CtcText> best_of(const Beginnings& beginnings, int64_t count) {
  std::vector<CtcText> texts;
  for (const auto& [ids, ways] : beginnings) {
    // A token twice, with nothing in between, has no way yet and may never get one.
    if (ways.all() != kImpossible) texts.push_back({.ids = ids, .log_probability = ways.all()});
  }
  std::stable_sort(texts.begin(), texts.end(), [](const CtcText& a, const CtcText& b) {
    return a.log_probability > b.log_probability;
  });
  if (std::ssize(texts) > count) texts.resize(static_cast<size_t>(count));
  return texts;
}

}  // namespace

std::vector<int32_t> ctc_greedy(const CtcLogits& given) {
  std::vector<int32_t> ids;
  int32_t before = kCtcBlank;
  for (int64_t step = 0; step < given.steps; ++step) {
    const float* row = given.at(step);
    const auto token = static_cast<int32_t>(std::max_element(row, row + given.tokens) - row);
    if (token != before && token != kCtcBlank) ids.push_back(token);
    before = token;
  }
  return ids;
}

std::vector<CtcText> ctc_beam_search(const CtcLogits& given, const CtcBeamOptions& options) {
  check_usage(options.num_beams >= 1, "num_beams: expected at least 1, got ", options.num_beams);
  Beginnings beginnings = {{{}, {.blank = 0}}};
  for (int64_t step = 0; step < given.steps; ++step) {
    const float* row = given.at(step);
    const std::vector<int32_t> tokens = likely(row, given.tokens, options.least);
    Beginnings next;
    for (const auto& [text, ways] : beginnings) go_on(text, ways, row, tokens, next);
    beginnings.clear();
    for (CtcText& kept : best_of(next, options.num_beams)) {
      beginnings.emplace(kept.ids, next.at(kept.ids));
    }
  }
  return best_of(beginnings, options.num_beams);
}

int64_t ctc_steps(const std::vector<int32_t>& ids) {
  int64_t steps = std::ssize(ids);
  for (size_t i = 1; i < ids.size(); ++i) steps += ids[i] == ids[i - 1] ? 1 : 0;
  return steps;
}

// States are a nothing before, between and behind the tokens, and the tokens: 2 · n + 1. A path
// begins in one of the first two, stays, goes to the next one, or over a nothing between different
// tokens, and ends in one of the last two.
std::vector<CtcSpan> ctc_align(const CtcLogits& given, const std::vector<int32_t>& ids) {
  const int64_t states = 2 * std::ssize(ids) + 1;
  if (given.steps < ctc_steps(ids) || given.steps == 0) return {};
  const auto token_of = [&](int64_t state) {
    return state % 2 == 0 ? kCtcBlank : ids[static_cast<size_t>(state / 2)];
  };
  std::vector<double> best(static_cast<size_t>(states), kImpossible);
  std::vector<uint8_t> from(static_cast<size_t>(given.steps * states));  // how many states back
  best[0] = given.at(0)[kCtcBlank];
  if (states > 1) best[1] = given.at(0)[token_of(1)];
  for (int64_t step = 1; step < given.steps; ++step) {
    std::vector<double> next(best.size(), kImpossible);
    for (int64_t state = 0; state < states; ++state) {
      const bool over =
          state >= 2 && token_of(state) != kCtcBlank && token_of(state) != token_of(state - 2);
      uint8_t back = 0;
      for (uint8_t way = 1; way <= (over ? 2 : 1) && way <= state; ++way) {
        if (best[static_cast<size_t>(state - way)] > best[static_cast<size_t>(state - back)]) {
          back = way;
        }
      }
      next[static_cast<size_t>(state)] =
          best[static_cast<size_t>(state - back)] + given.at(step)[token_of(state)];
      from[static_cast<size_t>(step * states + state)] = back;
    }
    best = std::move(next);
  }
  int64_t state = states - 1;
  if (states > 1 && best[static_cast<size_t>(state - 1)] > best[static_cast<size_t>(state)])
    --state;
  std::vector<CtcSpan> spans(ids.size(), {.begin = given.steps, .end = 0});
  for (int64_t step = given.steps - 1; step >= 0; --step) {
    if (state % 2 == 1) {
      CtcSpan& span = spans[static_cast<size_t>(state / 2)];
      span.begin = std::min(span.begin, step);
      span.end = std::max(span.end, step + 1);
    }
    state -= from[static_cast<size_t>(step * states + state)];
  }
  return spans;
}

}  // namespace heed::inference
