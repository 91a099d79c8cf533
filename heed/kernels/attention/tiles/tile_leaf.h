// The source of tile_ISA.cpp: the table of the tile engine's leaf functions.
#pragma once

#include "heed/kernels/attention/tiles/backward_leaf.h"
#include "heed/kernels/attention/tiles/backward_pairs_leaf.h"
#include "heed/kernels/attention/tiles/forward_leaf.h"
#include "heed/kernels/attention/tiles/tile.h"
#include "heed/kernels/attention/tiles/tile_score_leaf.h"

namespace heed::kernels::HEED_ISA {

static_assert(kPanel <= kMaxPanel);

const TileTable kTileTable = {
    .lanes = kLanes,
#if defined(__AVX512BF16__) && HEED_LANES == 16
    .has_pairs = true,
#else
    .has_pairs = false,
#endif
    .scores = kTileScores,
    .score_count = sizeof(kTileScores) / sizeof(kTileScores[0]),
    .copy_rows = copy_rows,
    .pack_transposed = pack_transposed,
    .pack_transposed_pairs = pack_transposed_pairs,
    .pack_row_pairs = pack_row_pairs,
    .transpose_pairs = transpose_pairs,
    .has_non_finite = has_non_finite,
    .forward_tile = forward_tile,
#if defined(__AVX512BF16__) && HEED_LANES == 16
    .forward_tile_pairs = forward_tile_pairs,
#else
    .forward_tile_pairs = nullptr,
#endif
    .finish_panel = finish_panel,
    .row_dots = row_dots,
    .backward_tile = backward_tile,
#if defined(__AVX512BF16__) && HEED_LANES == 16
    .backward_tile_pairs = backward_tile_pairs,
#else
    .backward_tile_pairs = nullptr,
#endif
    .add_rows = add_rows,
    .store_rows = store_rows,
};

}  // namespace heed::kernels::HEED_ISA
