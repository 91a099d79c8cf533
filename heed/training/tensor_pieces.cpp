#include "heed/training/tensor_pieces.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstdint>

#include "heed/ops/sharing.h"

namespace heed::training {
namespace {

// Elements. The work of one piece should be much longer than the calls of torch that it takes;
// whole cache lines and vectors, so that an element is in the same place of a vector as without
// pieces.
constexpr int64_t kPiece = int64_t{1} << 17;

// Tensors first … last − 1 whole, or the elements begin … end − 1 of one.
struct Piece {
  size_t first = 0;
  size_t last = 0;
  int64_t begin = 0;
  int64_t end = 0;
};

bool can_be_cut(const TensorLists& lists, size_t i) {
  return std::all_of(lists.begin(), lists.end(), [i](const std::vector<at::Tensor>& list) {
    return list[i].is_contiguous() && list[i].is_cpu();
  });
}

std::vector<Piece> pieces_of(const TensorLists& lists) {
  std::vector<Piece> pieces;
  int64_t gathered = kPiece;  // elements of the last piece
  for (size_t i = 0; i < lists[0].size(); ++i) {
    const int64_t size = lists[0][i].numel();
    if (size > kPiece && can_be_cut(lists, i)) {
      for (int64_t begin = 0; begin < size; begin += kPiece) {
        pieces.push_back({i, i + 1, begin, std::min(size, begin + kPiece)});
      }
      gathered = kPiece;
    } else if (gathered + size <= kPiece) {
      pieces.back().last = i + 1;
      gathered += size;
    } else {
      pieces.push_back({i, i + 1, 0, 0});
      gathered = size;
    }
  }
  return pieces;
}

TensorLists part_of(const TensorLists& lists, const Piece& piece) {
  TensorLists part;
  for (const std::vector<at::Tensor>& list : lists) {
    if (piece.end > 0) {
      part.push_back({list[piece.first].detach().view(-1).slice(0, piece.begin, piece.end)});
    } else {
      part.emplace_back(list.begin() + static_cast<std::ptrdiff_t>(piece.first),
                        list.begin() + static_cast<std::ptrdiff_t>(piece.last));
    }
  }
  return part;
}

}  // namespace

void for_each_piece(const TensorLists& lists,
                    const std::function<void(const TensorLists& piece, size_t first)>& body) {
  if (lists.empty() || lists[0].empty()) return;
  double elements = 0;
  for (const at::Tensor& tensor : lists[0]) elements += static_cast<double>(tensor.numel());
  const std::vector<Piece> pieces = pieces_of(lists);
  for_each_task(std::ssize(pieces), 10 * elements, [&](int64_t task) {
    const c10::AutoGradMode no_gradients(false);
    const Piece& piece = pieces[static_cast<size_t>(task)];
    body(part_of(lists, piece), piece.first);
  });
}

}  // namespace heed::training
