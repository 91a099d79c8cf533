#include "heed/nn/attention/attention_recorder.h"

namespace heed::nn {
namespace {

thread_local AttentionRecorder* innermost = nullptr;

}  // namespace

AttentionRecorder::AttentionRecorder() : outer_(innermost) { innermost = this; }

AttentionRecorder::~AttentionRecorder() { innermost = outer_; }

AttentionRecorder* AttentionRecorder::current() { return innermost; }

}  // namespace heed::nn
