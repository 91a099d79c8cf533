#include "heed/training/operation_watch.h"

#include <memory>

namespace heed::training {
namespace {

struct Watcher {
  OperationWatch::Look look;
  bool looking = false;

  void look_at(const c10::IValue& value) {
    if (value.isTensor()) {
      look(value.toTensor());
    } else if (value.isTensorList()) {
      for (const at::Tensor& each : value.toTensorVector()) look(each);
    }
  }
};
thread_local std::unique_ptr<Watcher> watcher;  // torch calls functions, not objects

template <typename Values>
void look_at_all(const Values& values) {
  if (watcher == nullptr || watcher->looking) return;
  watcher->looking = true;
  for (const c10::IValue& value : values) watcher->look_at(value);
  watcher->looking = false;
}

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  look_at_all(function.inputs());
  return nullptr;
}

void on_end(const at::RecordFunction& function, at::ObserverContext*) {
  look_at_all(function.outputs());
}

}  // namespace

std::string layer_of(const std::string& parameter) {
  const size_t dot = parameter.rfind('.');
  return dot == std::string::npos ? parameter : parameter.substr(0, dot);
}

OperationWatch::OperationWatch(Look look) {
  watcher = std::make_unique<Watcher>(Watcher{.look = std::move(look)});
  handle_ = at::addThreadLocalCallback(at::RecordFunctionCallback(on_start, on_end)
                                           .needsInputs(true)
                                           .needsOutputs(true)
                                           .scopes({at::RecordScope::FUNCTION}));
}

OperationWatch::~OperationWatch() {
  at::removeCallback(handle_);
  watcher.reset();
}

}  // namespace heed::training
