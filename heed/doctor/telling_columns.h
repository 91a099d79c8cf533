// Columns of a table that say by themselves what is to be told of its rows.
#pragma once

#include <string>
#include <vector>

#include "heed/data/tables/table_data.h"

namespace heed::doctor {

struct TellingColumn {
  std::string name;
  double share = 0;  // of what there is to tell, 0 to 1
};

// How much of the target a column tells alone: 1 all, 0 no more than the commonest class or the
// mean. Each row is told by the others: by those of the same category, or by the two neighbours in
// the order of the numbers and those that have the same one. A gap is a value like others.
double told_by(const data::TableColumn& column, const data::TableColumn& target);

// Those that tell nearly all, the most telling first; none of fewer than 50 rows.
std::vector<TellingColumn> telling_columns(const data::TableData& data);

}  // namespace heed::doctor
