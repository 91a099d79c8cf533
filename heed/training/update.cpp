#include "heed/training/update.h"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

#include "heed/nn/transformer/recompute.h"
#include "heed/training/layer_rates.h"
#include "heed/training/not_finite.h"

namespace heed::training {

namespace {

// Each process on a machine has a device of its own.
c10::Device device_of(const TrainingOptions& options) {
  const c10::Device device = device_from(options.device);
  if (options.group == nullptr) return device;
  check_group_device(device);
  if (options.device != "cuda") return device;
  return device_from(text_of("cuda:", options.group->local_rank()));
}

}  // namespace

Updater::Updater(tasks::Task& task, const TrainingOptions& options)
    : task_(task),
      clip_norm_(options.max_grad_norm),
      gradient_checkpointing_(options.gradient_checkpointing),
      parallel_(options.group, options.tensor_parallel),
      device_(device_of(options)),
      precision_(precision_from(options.dtype, device_)),
      parameter_count_(place_module()),
      split_(split_module()),
      parameters_(trained_parameters(task.module())),
      optimizer_(tensors_of(parameters_), options.optimizer,
                 rate_factors(parameters_, options.layer_lr_decay)),
      average_(tensors_of(parameters_), options.ema_decay),
      loss_scale_(precision_) {
  if (parallel_.data() != nullptr) reducer_.emplace(tensors_of(parameters_), *parallel_.data());
  if (split_) watch_norm();
  check_usage(!parameters_.empty(), "training: expected parameters that learn, found none");
}

// The whole module, on its device and the same in all processes; returns how large it is.
int64_t Updater::place_module() {
  task_.module().to(device_);
  int64_t count = 0;
  for (const auto& [name, tensor] : named_parameters(task_.module())) {
    count += tensor.numel();
    broadcast(tensor);
  }
  for (const auto& item : task_.module().named_buffers()) broadcast(item.value());
  return count;
}

std::optional<SplitModel> Updater::split_module() {
  if (parallel_.model() == nullptr) return std::nullopt;
  return std::optional<SplitModel>(std::in_place, task_.module(), *parallel_.model());
}

void Updater::watch_norm() {
  Optimizer::Parts parts;
  for (const auto& [name, tensor] : parameters_)
    parts.is_part.push_back(split_of(tensor) != nullptr);
  parts.sum = [this](double value) {
    const at::Tensor sum = at::full({1}, value, at::kDouble);
    parallel_.model()->sum(sum);
    return sum.item<double>();
  };
  optimizer_.set_parts(std::move(parts));
}

tasks::Loss Updater::loss_of(const tasks::Batch& batch) {
  const Autocast autocast(device_, precision_);
  const nn::GradientCheckpointing checkpointing(gradient_checkpointing_);
  return task_.loss(batch);
}

// The losses, weights and tokens of all shares, each told by one of the processes that took it.
// Called when the gradients are on their way.
void Updater::sum_over_group(Result& result, const std::function<bool()>& stop) {
  if (parallel_.all() == nullptr) return;
  const double mine = parallel_.model_rank() == 0 ? 1 : 0;
  const at::Tensor sums =
      at::tensor({mine * result.loss, mine * result.weight,
                  mine * static_cast<double>(result.tokens), stop && stop() ? 1.0 : 0.0},
                 at::kDouble);
  if (reducer_) reducer_->send_rest();  // messages go in the same order everywhere
  ProcessGroup::Pending pending = parallel_.all()->sum_later(sums);
  if (reducer_) reducer_->finish();
  pending.wait();
  const auto* values = sums.const_data_ptr<double>();
  result.loss = values[0];
  result.weight = values[1];
  result.tokens = static_cast<int64_t>(values[2]);
  result.stop = values[3] > 0;
}

Updater::Result Updater::update(const tasks::Batches& given, double learning_rate,
                                const std::function<bool()>& stop) {
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
  sum_over_group(result, stop);
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

const nn::ShardedTensor* Updater::split_of(const at::Tensor& tensor) const {
  return split_ ? split_->split_of(tensor) : nullptr;
}

// visit(name, tensor, how it is split or null)
template <typename Visit>
void Updater::for_each_tensor(const Visit& visit) const {
  // What does not learn is as it was loaded.
  for (const auto& [name, tensor] : parameters_) visit("model." + name, tensor, split_of(tensor));
  for (auto& item : task_.module().named_buffers()) {
    visit("buffer." + item.key(), item.value(), split_of(item.value()));
  }
  for (size_t i = 0; i < average_.averages().size(); ++i) {
    const auto& [name, parameter] = parameters_[i];
    visit("average." + name, average_.averages()[i], split_of(parameter));
  }
  optimizer_.for_each_state([&](const char* kind, size_t i, at::Tensor& state) {
    const auto& [name, parameter] = parameters_[i];
    visit(text_of("optimizer.", kind, '.', name), state,
          state.dim() > 0 ? split_of(parameter) : nullptr);
  });
}

// The values of rank 0, in place.
void Updater::broadcast(const at::Tensor& tensor) const {
  if (parallel_.all() == nullptr) return;
  const c10::AutoGradMode no_gradients(false);
  const at::Tensor values = tensor.detach().contiguous();
  parallel_.all()->broadcast(values);
  if (!values.is_alias_of(tensor)) tensor.detach().copy_(values);
}

SavedTensors Updater::saved() const {
  SavedTensors all;
  for_each_tensor(
      [&](const std::string& name, const at::Tensor& t, const nn::ShardedTensor* split) {
        const at::Tensor whole = split != nullptr ? split_->whole_of(*split, t) : t;
        if (whole.defined()) all.add(name, whole);
      });
  const RandomState random = RandomState::take(device_);
  all.add("random.cpu", random.cpu);
  if (random.cuda.defined()) all.add("random.cuda", random.cuda);
  return all;
}

void Updater::load(const Safetensors* from) {
  const c10::AutoGradMode no_gradients(false);
  for_each_tensor([&](const std::string& name, const at::Tensor& t,
                      const nn::ShardedTensor* split) {
    const at::Tensor whole =
        split != nullptr ? at::empty(split->whole_sizes(), t.options().requires_grad(false)) : t;
    if (from != nullptr) load_tensor(*from, name, whole);
    broadcast(whole);
    if (split != nullptr) t.detach().copy_(split_->part_of(*split, whole));
  });
  if (from != nullptr) load_random(*from);
}

std::unique_ptr<SplitModel::Gathered> Updater::gathered() const {
  return split_ ? std::make_unique<SplitModel::Gathered>(*split_) : nullptr;
}

void Updater::share_random() {
  if (parallel_.model() == nullptr) return;
  const RandomState random = RandomState::take(device_);
  parallel_.model()->broadcast(random.cpu);
  if (random.cuda.defined()) parallel_.model()->broadcast(random.cuda);
  random.put_back(device_);
}

void Updater::load_random(const Safetensors& from) {
  RandomState random{.cpu = load_bytes(from, "random.cpu"), .cuda = {}};
  if (device_.is_cuda()) random.cuda = load_bytes(from, "random.cuda");
  try {
    random.put_back(device_);
  } catch (const c10::Error& error) {
    throw DataError(from.name(), "tensor 'random.cpu' is no state of torch's generator");
  }
}

}  // namespace heed::training
