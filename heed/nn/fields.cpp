#include "heed/nn/fields.h"

#include <algorithm>

#include "heed/base/error.h"
#include "heed/base/format.h"
#include "heed/base/joined.h"

namespace heed::nn {

std::string number_text(double value) { return formatted("%.15g", value); }

std::string range_text(const Field& field) {
  const std::string least = number_text(field.least), most = number_text(field.most);
  if (!field.above) return "from " + least + (field.below ? " to below " : " to ") + most;
  return "above " + least + (field.below ? ", below " : ", at most ") + most;
}

void FieldCheck::operator()(const Field& field, int64_t value) const {
  check_usage(is_in_range(field, static_cast<double>(value)), field.name, ": expected an integer ",
              range_text(field), ", got ", value);
}

void FieldCheck::operator()(const Field& field, double value) const {
  check_usage(is_in_range(field, value), field.name, ": expected a number ", range_text(field),
              ", got ", value);
}

void FieldCheck::operator()(const Field& field, const std::optional<double>& value) const {
  if (value) (*this)(field, *value);
}

void FieldCheck::operator()(const Field& field, const std::string& value) const {
  if (field.check != nullptr) field.check(value);
  if (field.choices == nullptr) return;
  const std::vector<std::string> names = field.choices();
  check_usage(std::find(names.begin(), names.end(), value) != names.end(), field.name,
              ": expected one of ", joined(names), ", got '", value, "'");
}

}  // namespace heed::nn
