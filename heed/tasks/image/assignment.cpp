#include "heed/tasks/image/assignment.h"

#include <cmath>
#include <limits>

#include "heed/base/error.h"

namespace heed::tasks {
namespace {

constexpr int64_t kNoRow = -1;

// Rows are paired one after the other. Costs are reduced by a price of each row and each column, so
// that none is below 0 and those of the pairs are 0: what a path costs is then what it adds.
class Assignment {
 public:
  Assignment(const std::vector<double>& costs, int64_t rows, int64_t columns)
      : costs_(costs),
        columns_(static_cast<size_t>(columns)),
        row_price_(static_cast<size_t>(rows)),
        column_price_(columns_),
        row_of_(columns_, kNoRow) {}

  void add(int64_t row) {
    // Dijkstra from the row over alternating paths to the nearest column that is free.
    std::vector<double> distance(columns_, std::numeric_limits<double>::infinity());
    std::vector<size_t> before(columns_, columns_);  // on the path; columns_: the row itself
    std::vector<bool> is_done(columns_);
    std::vector<size_t> done;
    double reached = 0;
    int64_t from = row;
    size_t last = columns_;
    while (true) {
      size_t nearest = columns_;
      for (size_t j = 0; j < columns_; ++j) {
        if (is_done[j]) continue;
        const double through = reached + reduced(from, j);
        if (through < distance[j]) {
          distance[j] = through;
          before[j] = last;
        }
        if (nearest == columns_ || distance[j] < distance[nearest]) nearest = j;
      }
      reached = distance[nearest];
      last = nearest;
      if (row_of_[nearest] == kNoRow) break;
      is_done[nearest] = true;
      done.push_back(nearest);
      from = row_of_[nearest];
    }
    row_price_[static_cast<size_t>(row)] += reached;
    for (const size_t j : done) {
      row_price_[static_cast<size_t>(row_of_[j])] += reached - distance[j];
      column_price_[j] -= reached - distance[j];
    }
    for (; before[last] != columns_; last = before[last]) row_of_[last] = row_of_[before[last]];
    row_of_[last] = row;
  }

  std::vector<int64_t> columns_of_rows() const {
    std::vector<int64_t> columns(row_price_.size());
    for (size_t j = 0; j < columns_; ++j) {
      if (row_of_[j] != kNoRow) {
        columns[static_cast<size_t>(row_of_[j])] = static_cast<int64_t>(j);
      }
    }
    return columns;
  }

 private:
  double reduced(int64_t row, size_t column) const {
    const auto i = static_cast<size_t>(row);
    return costs_[i * columns_ + column] - row_price_[i] - column_price_[column];
  }

  const std::vector<double>& costs_;
  size_t columns_;
  std::vector<double> row_price_;
  std::vector<double> column_price_;
  std::vector<int64_t> row_of_;  // of each column
};

}  // namespace

std::vector<int64_t> cheapest_assignment(const std::vector<double>& costs, int64_t rows,
                                         int64_t columns) {
  check_usage(rows >= 0 && rows <= columns,
              "assignment: expected at most as many rows as columns, ", "got ", rows, " and ",
              columns);
  check_usage(std::ssize(costs) == rows * columns, "assignment: expected ", rows, " × ", columns,
              " costs, got ", costs.size());
  for (const double cost : costs) {
    check_usage(std::isfinite(cost), "assignment: expected finite costs, got ", cost);
  }
  Assignment assignment(costs, rows, columns);
  for (int64_t row = 0; row < rows; ++row) assignment.add(row);
  return assignment.columns_of_rows();
}

}  // namespace heed::tasks
