#include "heed/cli/options/validators.h"

#include <charconv>
#include <string>

namespace heed::cli {
namespace {

template <typename Holds>
CLI::Validator number_that(const std::string& description, Holds holds) {
  return {[description, holds](std::string& text) {
            double value = 0;
            const char* end = text.data() + text.size();
            const auto [stopped, error] = std::from_chars(text.data(), end, value);
            if (error == std::errc() && stopped == end && holds(value)) return std::string();
            return "expected a number " + description + ", got '" + text + "'";
          },
          description};
}

}  // namespace

CLI::Validator at_least_0() {
  return number_that("of at least 0", [](double value) { return value >= 0; });
}

CLI::Validator at_least_1() {
  return number_that("of at least 1", [](double value) { return value >= 1; });
}

CLI::Validator above_0() {
  return number_that("above 0", [](double value) { return value > 0; });
}

CLI::Validator share_below_1() {
  return number_that("from 0 to below 1", [](double value) { return value >= 0 && value < 1; });
}

CLI::Validator share_or_nothing() {
  const CLI::Range share(0.0, 1.0);
  return {[share](std::string& text) { return text.empty() ? std::string() : share(text); },
          share.get_description()};
}

}  // namespace heed::cli
