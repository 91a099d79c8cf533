// The cheapest pairing of rows and columns: which predicted object stands for which real one.
#pragma once

#include <cstdint>
#include <vector>

namespace heed::tasks {

// Of a matrix of costs, (rows, columns) row by row with rows ≤ columns, the column of each row, no
// column twice, so that the sum of the costs is the smallest that there is: exact, by shortest
// augmenting paths over reduced costs, O(rows² · columns). Jonker & Volgenant 1987, "A Shortest
// Augmenting Path Algorithm for Dense and Sparse Linear Assignment Problems"; the method is Kuhn's
// Hungarian one (1955). Of several cheapest pairings it gives the same one each time. Throws
// UsageError where there are more rows than columns, another number of costs, or one that is not
// finite.
std::vector<int64_t> cheapest_assignment(const std::vector<double>& costs, int64_t rows,
                                         int64_t columns);

}  // namespace heed::tasks
