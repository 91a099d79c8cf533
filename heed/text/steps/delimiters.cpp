#include "heed/text/steps/delimiters.h"

#include <algorithm>

namespace heed::text {
namespace {

// Whether a part and the one before it (the one after it, for kMergedWithNext) become one piece.
bool merges(Delimiters delimiters, bool is_delimiter, bool neighbour_is_delimiter) {
  switch (delimiters) {
    case Delimiters::kContiguous:
      return is_delimiter == neighbour_is_delimiter;
    case Delimiters::kMergedWithPrevious:
    case Delimiters::kMergedWithNext:
      return is_delimiter && !neighbour_is_delimiter;
    default:
      return false;
  }
}

}  // namespace

std::string_view name_of(Delimiters delimiters) {
  switch (delimiters) {
    case Delimiters::kRemoved:
      return "Removed";
    case Delimiters::kIsolated:
      return "Isolated";
    case Delimiters::kMergedWithPrevious:
      return "MergedWithPrevious";
    case Delimiters::kMergedWithNext:
      return "MergedWithNext";
    case Delimiters::kContiguous:
      return "Contiguous";
  }
  return "";
}

Delimiters read_delimiters(const JsonValue& json) {
  return json.one_of<Delimiters>({{"Removed", Delimiters::kRemoved},
                                  {"Isolated", Delimiters::kIsolated},
                                  {"MergedWithPrevious", Delimiters::kMergedWithPrevious},
                                  {"MergedWithNext", Delimiters::kMergedWithNext},
                                  {"Contiguous", Delimiters::kContiguous}});
}

void append_parts(const std::vector<DelimitedPart>& parts, Delimiters delimiters,
                  std::vector<Piece>& pieces) {
  const size_t first = pieces.size();
  const auto append = [&](const DelimitedPart& part, bool merge) {
    if (merge && pieces.size() > first) {
      Span& last = pieces.back().range;
      last = {std::min(last.begin, part.range.begin), std::max(last.end, part.range.end)};
    } else if (!(part.is_delimiter && delimiters == Delimiters::kRemoved)) {
      pieces.push_back({part.range});
    }
  };
  bool neighbour_is_delimiter = false;
  const auto take = [&](const DelimitedPart& part) {
    append(part, merges(delimiters, part.is_delimiter, neighbour_is_delimiter));
    neighbour_is_delimiter = part.is_delimiter;
  };
  if (delimiters == Delimiters::kMergedWithNext) {
    std::for_each(parts.rbegin(), parts.rend(), take);
    std::reverse(pieces.begin() + static_cast<std::ptrdiff_t>(first), pieces.end());
  } else {
    std::for_each(parts.begin(), parts.end(), take);
  }
  // Only now: an empty match keeps apart what stands around it.
  const auto kept =
      std::remove_if(pieces.begin() + static_cast<std::ptrdiff_t>(first), pieces.end(),
                     [](const Piece& p) { return p.range.size() == 0; });
  pieces.erase(kept, pieces.end());
}

}  // namespace heed::text
