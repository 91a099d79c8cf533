#include "heed/nn/attention/relative_buckets.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/base/error.h"

namespace heed::nn {
namespace {

at::Tensor buckets_of_distances(const RelativeBucketsOptions& o) {
  const at::Tensor distance = at::arange(-o.reach, o.reach + 1, at::kLong);  // key − query
  const int64_t count = o.only_before ? o.buckets : o.buckets / 2;           // of each direction
  const at::Tensor size = o.only_before ? (-distance).clamp_min(0) : distance.abs();
  const int64_t exact = count / 2;
  const at::Tensor growth = (size.to(at::kFloat) / static_cast<double>(exact)).log() /
                            std::log(static_cast<double>(o.reach) / static_cast<double>(exact)) *
                            static_cast<double>(count - exact);
  const at::Tensor far = (growth.clamp_min(0).to(at::kLong) + exact).clamp_max(count - 1);
  at::Tensor bucket = at::where(size < exact, size, far);
  if (!o.only_before) bucket = bucket + (distance > 0).to(at::kLong) * count;
  return bucket;
}

}  // namespace

RelativeBuckets::RelativeBuckets(const RelativeBucketsOptions& options) {
  const int64_t least = options.only_before ? 2 : 4;
  check_usage(options.buckets >= least && options.buckets / 4 < options.reach,
              "relative_buckets: expected at least ", least,
              " and fewer than four times the reach ", options.reach, ", got ", options.buckets);
  weight = register_parameter("weight", at::zeros({options.buckets, options.heads}));
  bucket_ = buckets_of_distances(options);
}

at::Tensor RelativeBuckets::table() const {
  return weight.index_select(0, bucket_.to(weight.device())).t().contiguous();
}

}  // namespace heed::nn
