#include "heed/training/update.h"

#include <ATen/ATen.h>

#include <cmath>

#include "heed/training/not_finite.h"

namespace heed::training {

Updater::Updater(tasks::Task& task, const TrainingOptions& options)
    : task_(task),
      clip_norm_(options.clip_norm),
      device_(device_from(options.device)),
      precision_(precision_from(options.dtype, device_)),
      parameters_((task.module().to(device_), trained_parameters(task.module()))),
      optimizer_(tensors_of(parameters_), options.optimizer),
      average_(tensors_of(parameters_), options.average),
      loss_scale_(precision_),
      group_(options.group) {
  if (group_ != nullptr) {
    check_usage(device_.is_cpu(), "several processes: expected --device cpu, got ", options.device);
    reducer_.emplace(tensors_of(parameters_), *group_);
  }
}

int64_t Updater::parameter_count() const {
  int64_t count = 0;
  for (const auto& [name, tensor] : named_parameters(task_.module())) count += tensor.numel();
  return count;
}

tasks::Loss Updater::loss_of(const tasks::Batch& batch) {
  const Autocast autocast(device_, precision_);
  return task_.loss(batch);
}

// The losses, weights and tokens of all processes; the gradients are there already.
void Updater::sum_over_group(Result& result) const {
  if (group_ == nullptr) return;
  at::Tensor sums =
      at::tensor({result.loss, result.weight, static_cast<double>(result.tokens)}, at::kDouble);
  group_->sum(sums);
  const auto* values = sums.const_data_ptr<double>();
  result.loss = values[0];
  result.weight = values[1];
  result.tokens = static_cast<int64_t>(values[2]);
}

Updater::Result Updater::update(const Batches& given, double learning_rate) {
  std::vector<const tasks::Batch*> batches;
  for (const auto& batch : given) {
    if (batch != nullptr) batches.push_back(batch.get());
  }
  optimizer_.zero_gradients();
  Result result;
  std::vector<RandomState> random;  // before each batch, to find the layer of a bad number
  double first_weight = 0;
  if (reducer_ && batches.empty()) reducer_->begin(0);
  for (const tasks::Batch* batch : batches) {
    random.push_back(RandomState::take(device_));
    const tasks::Loss part = loss_of(*batch);
    const auto value = part.value.item<double>();
    if (!std::isfinite(value)) explain(text_of("the loss is ", value), batches, random);
    if (first_weight == 0) first_weight = part.weight;
    if (!(part.weight > 0)) throw Error(text_of("a batch weighs ", part.weight));
    // Relative to the first, so that one batch alone is not multiplied at all.
    const double factor = part.weight / first_weight * loss_scale_.value();
    if (reducer_ && batch == batches.back()) reducer_->begin(first_weight);
    (factor == 1 ? part.value : part.value * factor).backward();
    result.loss += value * part.weight;
    result.weight += part.weight;
    result.tokens += part.tokens;
  }
  if (reducer_) reducer_->finish();
  sum_over_group(result);
  result.loss /= result.weight;
  const double unit = reducer_ ? 1 : first_weight;  // the reducer has multiplied by the weight
  const double scale = unit / result.weight / loss_scale_.value();
  if (scale != 1) optimizer_.scale_gradients(scale);
  optimizer_.add_penalties();
  result.gradient_norm = optimizer_.clip_gradients(clip_norm_);
  const bool finite = std::isfinite(result.gradient_norm);
  if (!loss_scale_.update(finite)) return result;
  if (!finite) explain("the gradients are not finite", batches, random);
  optimizer_.step(learning_rate);
  average_.update();
  return result;
}

void Updater::explain(const std::string& what, const std::vector<const tasks::Batch*>& batches,
                      const std::vector<RandomState>& random) {
  std::string place;
  for (size_t i = 0; i < random.size() && place.empty(); ++i) {
    random[i].put_back(device_);
    place = first_not_finite(task_.module(), [&] { return loss_of(*batches[i]).value; });
  }
  throw NotFiniteError(place.empty() ? what : what + "; this began " + place);
}

template <typename Visit>
void Updater::for_each_tensor(const Visit& visit) const {
  for (auto& [name, tensor] : named_parameters(task_.module())) visit("model." + name, tensor);
  for (auto& item : task_.module().named_buffers()) visit("buffer." + item.key(), item.value());
  for (size_t i = 0; i < average_.averages().size(); ++i) {
    visit("average." + parameters_[i].first, average_.averages()[i]);
  }
  optimizer_.for_each_state([&](const char* kind, size_t i, at::Tensor& state) {
    visit(text_of("optimizer.", kind, '.', parameters_[i].first), state);
  });
}

void Updater::share() {
  if (group_ == nullptr) return;
  const c10::AutoGradMode no_gradients(false);
  for_each_tensor([&](const std::string&, const at::Tensor& t) {
    at::Tensor values = t.contiguous();
    group_->broadcast(values);
    at::Tensor target = t;
    if (!values.is_same(target)) target.copy_(values);
  });
}

SavedTensors Updater::saved() const {
  SavedTensors all;
  for_each_tensor([&](const std::string& name, const at::Tensor& t) { all.add(name, t); });
  const RandomState random = RandomState::take(device_);
  all.add("random.cpu", random.cpu);
  if (random.cuda.defined()) all.add("random.cuda", random.cuda);
  return all;
}

void Updater::load(const Safetensors& from) {
  for_each_tensor(
      [&](const std::string& name, const at::Tensor& t) { load_tensor(from, name, t); });
  RandomState random{.cpu = load_bytes(from, "random.cpu"), .cuda = {}};
  if (device_.is_cuda()) random.cuda = load_bytes(from, "random.cuda");
  try {
    random.put_back(device_);
  } catch (const c10::Error& error) {
    throw DataError(from.name(), "tensor 'random.cpu' is no state of torch's generator");
  }
}

}  // namespace heed::training
