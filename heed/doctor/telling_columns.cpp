#include "heed/doctor/telling_columns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

namespace heed::doctor {
namespace {

constexpr int64_t kFewestRows = 50;
constexpr double kTells = 0.98;

// What is known of the target in some rows.
class Votes {
 public:
  explicit Votes(const data::TableColumn& target)
      : target_(target), classes_(target.is_category ? target.names.size() : 0, 0) {}

  void add(size_t row, double weight) {
    count_ += weight;
    if (target_.is_category) {
      classes_[static_cast<size_t>(target_.categories[row])] += weight;
    } else {
      sum_ += weight * target_.numbers[row];
    }
  }

  // How wrong they are about a row: of classes 0 or 1, of numbers the square of the difference.
  double error(size_t row) const {
    if (target_.is_category) {
      const auto best = std::max_element(classes_.begin(), classes_.end()) - classes_.begin();
      return best == target_.categories[row] ? 0 : 1;
    }
    const double difference = target_.numbers[row] - (count_ > 0 ? sum_ / count_ : 0);
    return difference * difference;
  }

  bool empty() const { return count_ <= 0; }

 private:
  const data::TableColumn& target_;
  std::vector<double> classes_;
  double sum_ = 0;
  double count_ = 0;
};

// The value of each row, one that can be sorted: −1 and NaN, the gaps, stand first.
std::vector<double> values_of(const data::TableColumn& column, size_t rows) {
  std::vector<double> values(rows);
  for (size_t i = 0; i < rows; ++i) {
    const double value = column.is_category ? column.categories[i] : column.numbers[i];
    values[i] = std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
  }
  return values;
}

}  // namespace

double told_by(const data::TableColumn& column, const data::TableColumn& target) {
  const size_t rows = target.is_category ? target.categories.size() : target.numbers.size();
  const std::vector<double> values = values_of(column, rows);
  std::vector<size_t> order(rows);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  Votes all(target);
  for (size_t row = 0; row < rows; ++row) all.add(row, 1);
  double error = 0, of_all = 0;
  for (size_t first = 0; first < rows;) {
    size_t last = first;
    Votes same(target);
    for (; last < rows && values[order[last]] == values[order[first]]; ++last) {
      same.add(order[last], 1);
    }
    for (size_t i = first; i < last; ++i) {
      Votes votes = same;
      votes.add(order[i], -1);
      if (!column.is_category) {
        if (first > 0) votes.add(order[first - 1], 0.5);
        if (last < rows) votes.add(order[last], 0.5);
      }
      error += (votes.empty() ? all : votes).error(order[i]);
      of_all += all.error(order[i]);
    }
    first = last;
  }
  return of_all > 0 ? std::max(0.0, 1 - error / of_all) : 0;
}

std::vector<TellingColumn> telling_columns(const data::TableData& data) {
  std::vector<TellingColumn> found;
  if (data.rows() < kFewestRows || !data.target) return found;
  for (const data::TableColumn& column : data.columns) {
    const double share = told_by(column, *data.target);
    if (share >= kTells) found.push_back({.name = column.name, .share = share});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.share > b.share; });
  return found;
}

}  // namespace heed::doctor
