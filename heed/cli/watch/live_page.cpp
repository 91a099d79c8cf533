#include "heed/cli/watch/live_page.h"

#include <utility>

#include "heed/base/error.h"
#include "heed/base/format.h"

namespace heed::cli {

LivePage::LivePage(int port, const RunInfo& run, HeldOut held_out)
    : run_(run),
      held_out_(std::move(held_out)),
      settings_(settings_section(run)),
      state_{.text =
                 "The run begins. Curves appear with the first lines of its log "
                 "(--logging-steps), examples with the first model that is saved."},
      server_(port, [this](const std::string& path) { return page_of(path); }) {}

void LivePage::step(const training::StepReport& now) {
  const std::string text = text_of(
      "Step ", now.step, " of ", now.total_steps, ", epoch ", now.epoch,
      formatted(": loss %.4f, %.0f tokens a second.", now.mean_loss, now.tokens_per_second));
  const std::lock_guard lock(mutex_);
  state_.text = text;
}

void LivePage::evaluation(const training::Evaluation& now) {
  if (!now.best) return;
  auto examples = std::make_shared<const std::vector<ShownExample>>(
      shown_examples(run_.model, run_.command, held_out_));
  const std::lock_guard lock(mutex_);
  state_.examples = std::move(examples);
  state_.examples_by = text_of(", by the model of step ", now.step);
}

std::shared_ptr<const std::vector<ShownExample>> LivePage::examples() const {
  const std::lock_guard lock(mutex_);
  return state_.examples;
}

std::optional<std::string> LivePage::page_of(const std::string& path) const {
  LiveRun state;
  {
    const std::lock_guard lock(mutex_);
    state = state_;
  }
  if (path == "/") {
    ReportPage page = run_page(run_, state, settings_);
    page.live = true;
    return report_page_html(page);
  }
  if (state.examples == nullptr) return std::nullopt;
  for (const ShownExample& example : *state.examples) {
    if (example.section.link && path == '/' + example.section.link->file) return example.page;
  }
  return std::nullopt;
}

}  // namespace heed::cli
